"""Inventory lines: written by the body's editors; what they leave out is filled in and flagged."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text

from opendata.agencies import policy
from opendata.agencies.models import Agency
from opendata.core.errors import Conflict, FieldError, Forbidden, Gathered, Invalid
from opendata.core.ids import new_id
from opendata.inventory.models import (
    DataLevel,
    Domain,
    FormatClass,
    InventoryLine,
    Openness,
    ShareType,
    UpdateCycle,
)
from opendata.work.unit import Work

DEPARTMENT_CATEGORY = "306001"
"""类 3 部门, 项 06 省级及以下政务部门, 目 001: where a line stands until somebody classifies it."""


CONDITIONED = ("openness", "open_condition", "share_type", "share_condition")
"""Elements of which one asks for another."""


def create(work: Work, agency: Agency, fields: dict[str, Any]) -> InventoryLine:
    """A new line, public at once. `fields` are those of `InventoryLineIn` that were given."""
    if not policy.may_edit(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.name)
    return enter(work, agency, fields)


def check(agency: Agency, fields: dict[str, Any]) -> None:
    """`Invalid` naming what `enter` would refuse."""
    _check(_defaults(agency, fields) | {name: value for name, value in fields.items() if value is not None})


def enter(work: Work, agency: Agency, fields: dict[str, Any], *, line_id: str | None = None) -> InventoryLine:
    """The same for what was approved already: whoever publishes need not be an editor of the body."""
    given = {name: value for name, value in fields.items() if value is not None}
    values = _defaults(agency, given) | given
    _check(values)
    if "resource_code" not in given:
        values["resource_code"] = _next_code(work, values["category"])
    elif not _is_free(work, given["resource_code"]):
        raise Conflict("resource_code_taken", resource_code=given["resource_code"])
    line = InventoryLine(
        id=line_id or new_id(),
        agency_id=agency.id,
        defaulted=sorted(values.keys() - given.keys() - {"resource_code"}),
        created_by=work.actor.id,
        created_at=work.now,
        updated_at=work.now,
        **values,
    )
    work.session.add(line)
    work.session.flush()
    work.record("inventory.created", "inventory_line", line.id, code=line.resource_code, title=line.title)
    return line


def check_update(line: InventoryLine, fields: dict[str, Any]) -> None:
    """`Invalid` naming what `update` would refuse."""
    wrong = Gathered(FieldError(f, "missing") for f, v in fields.items() if v is None and f != "issued_on")
    with wrong:
        _check({**{name: getattr(line, name) for name in CONDITIONED}, **fields})
    wrong.raise_if_any()


def update(work: Work, agency: Agency, line: InventoryLine, fields: dict[str, Any]) -> InventoryLine:
    """Sets the named elements of the body's line, public at once. A line that gets another category gets the next code of
    it, unless its code was never made of its category, or a new one is given."""
    if not policy.may_edit(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.name)
    changes = {f: v for f, v in fields.items() if v != getattr(line, f) or f in line.defaulted}
    if not changes:
        return line
    check_update(line, changes)
    changes |= _new_code(work, line, changes)
    for name, value in changes.items():
        setattr(line, name, value)
    line.defaulted = [name for name in line.defaulted if name not in changes]
    line.updated_at = work.now
    work.session.flush()
    work.record(
        "inventory.edited", "inventory_line", line.id, code=line.resource_code, fields=sorted(changes)
    )
    return line


def _new_code(work: Work, line: InventoryLine, changes: dict[str, Any]) -> dict[str, str]:
    """The code that the changes bring about, checked to be free; nothing if the line keeps its own."""
    if "resource_code" in changes:
        if not _is_free(work, changes["resource_code"]):
            raise Conflict("resource_code_taken", resource_code=changes["resource_code"])
        return {}
    category = changes.get("category", line.category)
    if category == line.category or not line.resource_code.startswith(f"{line.category}/"):
        return {}
    return {"resource_code": _next_code(work, category)}


def remove(work: Work, line: InventoryLine) -> None:
    """Takes a line out of the inventory. No dataset may name it any more."""
    work.session.delete(line)
    work.session.flush()
    work.record("inventory.removed", "inventory_line", line.id, code=line.resource_code, title=line.title)


def _defaults(agency: Agency, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "abstract": given["title"],
        "category": DEPARTMENT_CATEGORY,
        "format_class": FormatClass.SPREADSHEET,
        "format_type": "csv",
        "items": [],
        "share_type": ShareType.UNCONDITIONAL,
        "openness": Openness.UNCONDITIONAL,
        "update_cycle": UpdateCycle.IRREGULAR,
        "related_codes": [],
        "data_level": DataLevel.L1,
        "domain": Domain.OTHER,
        "region_code": agency.region_code,
    }


def _check(values: dict[str, Any]) -> None:
    errors = []
    if values["openness"] == Openness.CLOSED and not values.get("open_condition"):
        errors.append(FieldError("open_condition", "closed_needs_basis"))
    if values["openness"] == Openness.CONDITIONAL and not values.get("open_condition"):
        errors.append(FieldError("open_condition", "conditional_needs_condition"))
    if values["share_type"] != ShareType.UNCONDITIONAL and not values.get("share_condition"):
        errors.append(FieldError("share_condition", "share_needs_condition"))
    if errors:
        raise Invalid(fields=errors)


def _next_code(work: Work, category: str) -> str:
    """The category's code, `/`, and the first free number of six digits or more after its highest one. Two that ask at once
    wait for each other: on SQLite at the write lock, on PostgreSQL at a lock of the category's own."""
    if work.session.get_bind().dialect.name == "postgresql":
        work.session.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:category))"), {"category": category}
        )
    code = InventoryLine.resource_code
    # The range makes the index serve, the pattern is true in every collation.
    query = select(code).where(
        code.between(f"{category}/0", f"{category}/9999999999"), code.like(f"{category}/%")
    )
    highest = work.session.execute(query.order_by(code.desc()).limit(1)).scalar()
    number = int(highest.rpartition("/")[2]) if highest else 0
    while True:
        number += 1
        wanted = f"{category}/{number:06d}"
        if len(wanted) == len(highest or wanted) or _is_free(work, wanted):
            return wanted


def _is_free(work: Work, code: str) -> bool:
    return not work.session.execute(
        select(InventoryLine.id).where(InventoryLine.resource_code == code)
    ).first()
