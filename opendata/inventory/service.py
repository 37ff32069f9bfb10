"""Inventory lines: written by the body's editors; what they leave out is filled in and flagged. Each change is a version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, text

from opendata.agencies.models import Agency
from opendata.agencies.policy import may_edit
from opendata.core.database import store, table_of
from opendata.core.errors import Conflict, FieldError, Forbidden, Gathered, Invalid, invalid
from opendata.core.ids import new_id
from opendata.inventory import elements, policy, versions
from opendata.inventory.models import InventoryLine, Openness
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile.fields import CityField, Values, judge, missing
from opendata.work.unit import Work

CITY = "city_fields"
_CODE = table_of(InventoryLine).c.resource_code
_OF_CODE = select(InventoryLine.id).where(bindparam("code") == _CODE)
_HIGHEST = (  # the range makes the index serve, the pattern is true in every collation
    select(_CODE)
    .where(_CODE.between(bindparam("low"), bindparam("high")), _CODE.like(bindparam("form")))
    .order_by(_CODE.desc())
    .limit(1)
)


def create(
    work: Work,
    agency: Agency,
    fields: dict[str, Any],
    *,
    withheld_ground: str = "",
    list_import_id: str | None = None,
) -> InventoryLine:
    """A new line, public at once unless a secrecy reviewer who is also an editor enters it withheld. `fields` are those of
    `InventoryLineIn` that were given."""
    _check_editor(work, agency)
    if withheld_ground and not policy.may_withhold(work.actor, agency):
        raise Forbidden("secrecy_reviewer_only", agency=agency.name)
    return enter(work, agency, fields, withheld_ground=withheld_ground, list_import_id=list_import_id)


def check(agency: Agency, fields: dict[str, Any], city: Sequence[CityField] = ()) -> None:
    """`Invalid` naming what `enter` would refuse. `city`: the city's own fields of lines."""
    complete(agency, fields, city)


def enter(
    work: Work,
    agency: Agency,
    fields: dict[str, Any],
    *,
    line_id: str | None = None,
    withheld_ground: str = "",
    list_import_id: str | None = None,
) -> InventoryLine:
    """The same for what was approved already: whoever publishes need not be an editor of the body."""
    city = profile.line_fields(work)
    values = complete(agency, fields, city)
    told = {name for name, value in fields.items() if value is not None} | {"resource_code"}
    told |= {"category"} if values.get("resource_code") else set()
    if not values.get("resource_code"):
        values["resource_code"] = _next_code(work, values["category"])
    elif not is_free(work, values["resource_code"]):
        raise Conflict("resource_code_taken", resource_code=values["resource_code"])
    line = InventoryLine(
        id=line_id or new_id(),
        agency_id=agency.id,
        defaulted=sorted(values.keys() - told - {CITY}) + _lacking(values[CITY], city),
        created_by=work.actor.id,
        created_at=work.now,
        updated_at=work.now,
        **values,
    )
    if withheld_ground:
        _withhold(line, withheld_ground)
    store(work.session, line)
    versions.note(work, line, "created", None, public=not line.withheld_ground, list_import_id=list_import_id)
    work.record("inventory.created", "inventory_line", line.id, code=line.resource_code, title=line.title)
    if line.withheld_ground:
        work.record("inventory.withheld", "inventory_line", line.id, ground=line.withheld_ground)
    return line


def update(
    work: Work,
    line: InventoryLine,
    agency: Agency,
    fields: dict[str, Any],
    *,
    list_import_id: str | None = None,
) -> InventoryLine:
    """Sets the named elements, public at once. A line that gets another category gets its next code, unless the code is
    named too. Nothing is written, and no version made, where nothing differs."""
    _check_editor(work, agency)
    before = versions.snapshot(line)
    city = profile.line_fields(work)
    values = changed(line, fields, city)
    code = values["resource_code"]
    if code != line.resource_code and not is_free(work, code):
        raise Conflict("resource_code_taken", resource_code=code)
    if not code:
        values["resource_code"] = _next_code(work, values["category"])
    for name, value in values.items():
        setattr(line, name, value)
    line.defaulted = [name for name in line.defaulted if name.partition(".")[0] not in {*fields, CITY}]
    line.defaulted += _lacking(values[CITY], city)
    differing = [change.element for change in versions.changes(before, versions.snapshot(line))]
    if differing:
        line.updated_at = work.now
    work.session.flush()
    if differing:
        versions.note(
            work, line, "edited", before, public=not line.withheld_ground, list_import_id=list_import_id
        )
        work.record("inventory.edited", "inventory_line", line.id, code=line.resource_code, fields=differing)
    return line


def remove(work: Work, line: InventoryLine) -> None:
    """Takes a line out of the inventory. No dataset may name it any more."""
    before, public = versions.snapshot(line), not line.withheld_ground
    work.session.delete(line)
    work.session.flush()
    versions.note(work, line, versions.REMOVED, before, public=public)
    work.record("inventory.removed", "inventory_line", line.id, code=line.resource_code, title=line.title)


def withhold(work: Work, line: InventoryLine, agency: Agency, ground: str) -> InventoryLine:
    """The public no longer learns that the line exists: by no list, count, history, export or feed. Only what is not open
    can be withheld; what has such a line must stay closed until it is revealed."""
    _check_secrecy_reviewer(work, agency)
    if line.withheld_ground:
        raise Conflict("line_withheld_already", ground=line.withheld_ground)
    before = versions.snapshot(line)
    _withhold(line, ground)
    line.updated_at = work.now
    work.session.flush()
    versions.note(work, line, "withheld", before, public=False)
    work.record("inventory.withheld", "inventory_line", line.id, ground=line.withheld_ground)
    return line


def reveal(work: Work, line: InventoryLine, agency: Agency, reason: str) -> InventoryLine:
    """The line is public again, with the history that it had while it was."""
    _check_secrecy_reviewer(work, agency)
    if not line.withheld_ground:
        raise Conflict("line_not_withheld")
    if not elements.is_ground(reason):
        raise invalid("reason", "missing")
    known = versions.last_public(work, line)
    line.withheld_ground = ""
    line.updated_at = work.now
    work.session.flush()
    versions.note(work, line, "revealed", known, public=True)
    work.record("inventory.revealed", "inventory_line", line.id, reason=reason.strip())
    return line


def is_free(work: Work, code: str) -> bool:
    return not work.session.execute(_OF_CODE, {"code": code}).first()


def _check_editor(work: Work, agency: Agency) -> None:
    if not may_edit(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)


def _check_secrecy_reviewer(work: Work, agency: Agency) -> None:
    if not policy.may_withhold(work.actor, agency):
        raise Forbidden("secrecy_reviewer_only", agency=agency.name)


def _withhold(line: InventoryLine, ground: str) -> None:
    errors = []
    if not elements.is_ground(ground):
        errors.append(FieldError("ground", "missing"))
    if line.openness != Openness.CLOSED:
        errors.append(FieldError("openness", "withheld_must_be_closed"))
    if errors:
        raise Invalid(fields=errors)
    line.withheld_ground = ground.strip()


def complete(agency: Agency, fields: dict[str, Any], city: Sequence[CityField]) -> dict[str, Any]:
    """A whole line, what nobody has written filled in. `Invalid` naming everything that is wrong with it."""
    given = {name: value for name, value in fields.items() if value is not None}
    values = elements.defaults(agency, given) | given
    values["items"] = elements.items_of(values["items"])
    if errors := [*elements.check(values), *judge(values[CITY], city)]:
        raise Invalid(fields=errors)
    return values


def changed(line: InventoryLine, fields: dict[str, Any], city: Sequence[CityField]) -> dict[str, Any]:
    """The whole line with the named elements, or `Invalid` naming what `update` would refuse; an empty `resource_code` where the next one is to be given."""
    wrong = Gathered(
        FieldError(name, "missing") for name, v in fields.items() if v is None and name != "issued_on"
    )
    fields = {name: value for name, value in fields.items() if value is not None or name == "issued_on"}
    values = {name: getattr(line, name) for name in elements.ELEMENTS} | fields
    if fields.get("category", line.category) != line.category and "resource_code" not in fields:
        values["resource_code"] = ""
    if "resource_code" in fields and "category" not in fields:
        values["category"] = fields["resource_code"].partition("/")[0]
    values["items"] = elements.items_of(values["items"])
    errors = elements.check(values)
    errors += judge(values[CITY], city) if CITY in fields else []
    if not fields.keys() & {"resource_code", "category"}:  # of a line from before the two had to agree
        errors = [error for error in errors if error.path != "resource_code"]
    if line.withheld_ground and values["openness"] != Openness.CLOSED:
        errors.append(FieldError("openness", "withheld_must_be_closed"))
    wrong.add(errors)
    wrong.raise_if_any()
    return values


def _lacking(values: Values, city: Sequence[CityField]) -> list[str]:
    """Fields that the city requires and nobody has written: flagged as what was filled in is."""
    return [error.path for error in missing(values, city)]


def _next_code(work: Work, category: str) -> str:
    """The category's code, `/`, and the first free number of six digits or more after its highest one. Two that ask at once
    wait for each other: on SQLite at the write lock, on PostgreSQL at a lock of the category's own."""
    if work.session.get_bind().dialect.name == "postgresql":
        work.session.execute(
            text("SELECT pg_advisory_xact_lock(hashtext(:category))"), {"category": category}
        )
    bounds = {"low": f"{category}/0", "high": f"{category}/9999999999", "form": f"{category}/%"}
    work.session.flush()
    highest = work.session.connection().execute(_HIGHEST, bounds).scalar()
    number = int(highest.rpartition("/")[2]) if highest else 0
    while True:
        number += 1
        wanted = f"{category}/{number:06d}"
        if len(wanted) == len(highest or wanted) or is_free(work, wanted):
            return wanted
