"""The opening plan, written by the bodies' editors. A delay or a cancellation is told with its reason, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select

from opendata.agencies import policy
from opendata.agencies.models import Agency
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.inventory.models import InventoryLine, Openness
from opendata.inventory.plan import openings
from opendata.inventory.plan.models import OpenMethod, PlanItem, PlanStatus
from opendata.work.unit import Work


def create(work: Work, line: InventoryLine, agency: Agency, fields: Mapping[str, Any]) -> PlanItem:
    """Plans to open the line of this body. `fields`: year, planned_on and, if given, units, open_method, status.

    Errors: `Forbidden`; `Conflict("line_closed_for_plan", "line_open_already", "already_planned")`; `Invalid`.
    """
    _check_editor(work, agency)
    if line.openness == Openness.CLOSED.value:
        raise Conflict("line_closed_for_plan", resource_code=line.resource_code)
    if openings.is_open(work, line.id):
        raise Conflict("line_open_already", resource_code=line.resource_code)
    same = select(PlanItem.id).where(PlanItem.year == fields["year"], PlanItem.line_id == line.id)
    if work.session.execute(same).first():
        raise Conflict("already_planned", resource_code=line.resource_code, year=fields["year"])
    given = {name: _clean(value) for name, value in fields.items() if value not in (None, "")}
    item = PlanItem(
        **{
            "lead_unit": agency.title,
            "responsible_unit": agency.title,
            "open_method": OpenMethod.DOWNLOAD.value,
            "status": PlanStatus.NOT_STARTED.value,
            "reason": "",
            **given,
        },
        id=new_id(),
        line_id=line.id,
        created_by=work.actor.id,
        created_at=work.now,
        updated_at=work.now,
    )
    _check(item, None)
    work.session.add(item)
    work.session.flush()
    work.record("plan.created", "plan_item", item.id, line=line.resource_code, **_told(item))
    return item


def change(work: Work, item: PlanItem, agency: Agency, changes: Mapping[str, Any]) -> PlanItem:
    """Changes the named fields. A later date is a delay: `delayed_to` with its reason; `planned_on` may only come nearer."""
    _check_editor(work, agency)
    before, promised = _told(item), item.planned_on
    for name, value in changes.items():
        if value is None and name != "delayed_to":
            raise Invalid(fields=[FieldError(name, "missing")])
        setattr(item, name, _clean(value))
    if changes.get("delayed_to") and "status" not in changes:
        item.status = PlanStatus.DELAYED.value
    with work.session.no_autoflush:
        _check(item, promised)
    item.updated_at = work.now
    work.session.flush()
    work.record("plan.changed", "plan_item", item.id, before=before, after=_told(item))
    return item


def _check(item: PlanItem, promised: date | None) -> None:
    errors = []
    if item.planned_on.year != item.year:
        errors.append(FieldError("planned_on", "not_in_plan_year", {"year": item.year}))
    elif promised is not None and item.planned_on > promised:
        errors.append(FieldError("planned_on", "delay_is_recorded", {"planned_on": promised.isoformat()}))
    if item.status == PlanStatus.OPENED.value:
        errors.append(FieldError("status", "opened_by_publishing"))
    if item.status == PlanStatus.DELAYED.value and item.delayed_to is None:
        errors.append(FieldError("delayed_to", "delay_needs_date"))
    if item.delayed_to is not None and item.delayed_to <= item.planned_on:
        errors.append(FieldError("delayed_to", "delay_is_later", {"planned_on": item.planned_on.isoformat()}))
    late = item.delayed_to is not None or item.status in (PlanStatus.DELAYED, PlanStatus.CANCELLED)
    if late and not item.reason:
        errors.append(FieldError("reason", "delay_needs_reason"))
    errors += [
        FieldError(name, "missing") for name in ("lead_unit", "responsible_unit") if not getattr(item, name)
    ]
    if errors:
        raise Invalid(fields=errors)


def _check_editor(work: Work, agency: Agency) -> None:
    if not policy.may_edit(work.actor, agency):
        raise Forbidden("agency_editor_only", agency=agency.title)


def _clean(value: Any) -> Any:
    """Texts are public: on one line, without invisible characters. Codes are stored as text."""
    return " ".join(clean_text(str(value)).split()) if isinstance(value, str) else value


def _told(item: PlanItem) -> dict[str, Any]:
    names = ("year", "planned_on", "delayed_to", "reason", "lead_unit", "responsible_unit", "status")
    found = {name: getattr(item, name) for name in names}
    return {name: v.isoformat() if isinstance(v, date) else v for name, v in found.items()}
