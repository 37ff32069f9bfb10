"""A body's inventory at the desk: its lines listed, added and edited. A line is public at once, as the law asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError
from sqlalchemy import func, select
from starlette.responses import Response

from opendata.agencies import policy
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.catalog.codes import codes
from opendata.catalog.models import DatasetLine
from opendata.core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from opendata.edge.conventions import check_if_match
from opendata.edge.reading import read
from opendata.inventory import queries, service
from opendata.inventory.elements import kept_parts
from opendata.inventory.models import (
    DataLevel,
    Domain,
    FormatClass,
    InventoryLine,
    Openness,
    ShareMethod,
    ShareType,
    UpdateCycle,
)
from opendata.inventory.queries import Wanted
from opendata.inventory.schemas import InventoryLineIn, InventoryLinePatch, Item
from opendata.web.console.agencies import tabs
from opendata.web.forms import Form, given, problems
from opendata.web.governance import city
from opendata.web.http import MemberWork, PostedForm
from opendata.web.public import PageNumber
from opendata.web.render import Pager, page, see_other
from opendata.work.unit import Work

router = APIRouter(prefix="/console/agency/{name:short}/inventory")

LINES_A_PAGE = 50
Words = Annotated[str, Query(max_length=200)]
TEXTS = (
    "title", "abstract", "category", "resource_code", "format_class", "format_type", "share_type", "share_condition",
    "share_method", "openness", "open_condition", "update_cycle", "issued_on", "data_level", "domain", "region_code",
    "lead_unit", "responsible_unit",
)  # fmt: skip
LISTS = ("related_codes",)
CODE_LISTS = {
    "format_class": FormatClass,
    "share_type": ShareType,
    "share_method": ShareMethod,
    "openness": Openness,
    "update_cycle": UpdateCycle,
    "data_level": DataLevel,
    "domain": Domain,
}
"""Elements whose values are a list of codes: drop-downs."""
NEVER_EMPTY = ("abstract", "category", "resource_code", "format_type")
"""Elements that stay as they are when their field is left empty."""
NEW = {"format_class": FormatClass.SPREADSHEET, "format_type": "csv", "update_cycle": UpdateCycle.IRREGULAR, "domain": Domain.OTHER}  # fmt: skip
"""What the form of a new line shows chosen."""


@router.get("")
def listed(
    request: Request,
    language: str,
    name: str,
    work: MemberWork,
    q: Words = "",
    page_: Annotated[PageNumber, Query(alias="page")] = 1,
) -> Response:
    """The body's lines, each with how many datasets open it and whether something in it was only filled in."""
    body = find(work, name)
    words = q.replace("\0", "").strip()
    offset = (page_ - 1) * LINES_A_PAGE
    found = queries.page(work, Wanted(body.id, text=words), offset=offset, limit=LINES_A_PAGE)
    return page(
        request,
        "console/inventory.html",
        language,
        body=body,
        tabs=tabs(work, body),
        lines=found.items,
        opened=_opened(work, found.items),
        words=words,
        pager=Pager(page_, LINES_A_PAGE, found.total),
    )


@router.get("/new")
def new(request: Request, language: str, name: str, work: MemberWork) -> Response:
    body = find(work, name)
    shown = {key: [str(value)] for key, value in (NEW | {"region_code": body.region_code}).items()}
    return _form(request, language, work, body, None, Form(shown))


@router.post("/new")
def create(request: Request, language: str, name: str, work: MemberWork, form: PostedForm) -> Response:
    """A new line. What is left empty is filled in and marked."""
    body = find(work, name)
    try:
        sent = elements(form) | city.given(city.asked_of_lines(work), form, {})
        fields = {key: value for key, value in sent.items() if value not in ("", [], None)}
        given_in = _checked(InventoryLineIn, fields | {"agency": body.name})
        service.create(work, body, {key: value for key, value in given_in.items() if key != "agency"})
    except (Invalid, Conflict) as error:
        work.take_back()
        return _form(request, language, work, find(work, name), None, form, error)
    return see_other(f"/{language}/console/agency/{body.name}/inventory", done="saved")


@router.get("/{line:short}")
def edit_page(request: Request, language: str, name: str, line: str, work: MemberWork) -> Response:
    body = find(work, name)
    found = _line(work, body, line)
    return _form(request, language, work, body, found, Form(_values(found)))


@router.post("/{line:short}")
def edit(
    request: Request, language: str, name: str, line: str, work: MemberWork, form: PostedForm
) -> Response:
    """Saves the elements. An edit that somebody else made meanwhile is not overwritten: `Stale`."""
    body = find(work, name)
    found = _line(work, body, line)
    try:
        check_if_match(f'"{form.text("edition")}"', str(found.edition))
        written = {k: v for k, v in elements(form).items() if v != "" or k not in NEVER_EMPTY}
        written |= city.given(city.asked_of_lines(work), form, found.city_fields)
        if (
            written.get("share_method") == found.share_method
        ):  # words from before there was a list of them stay
            del written["share_method"]
        if "items" in written:  # the form has no field for what else is known of an item
            written["items"] = kept_parts(written["items"], found.items, ("level", "openness"))
        service.update(work, found, body, _checked(InventoryLinePatch, written))
    except (Invalid, Conflict) as error:
        work.take_back()
        body = find(work, name)
        return _form(request, language, work, body, _line(work, body, line), form, error)
    return see_other(f"/{language}/console/agency/{body.name}/inventory", done="saved")


def find(work: Work, name: str) -> Agency:
    """A body whose inventory the actor may write."""
    body = agencies.find(work, name)
    if not policy.may_edit(work.actor, body):
        raise Forbidden("agency_editor_only", agency=body.title)
    return body


def elements(form: Form) -> dict[str, Any]:
    """The elements that the form sent, as the API takes them. `Invalid` for an information item that cannot be read."""
    fields: dict[str, Any] = given(form, TEXTS, LISTS)
    if "issued_on" in fields:
        fields["issued_on"] = fields["issued_on"] or None
    if "items" in form:
        rows = [row.strip() for row in form.text("items").split("\n") if row.strip()]
        fields["items"] = [_item(number, row) for number, row in enumerate(rows, start=1)]
    return fields


def _item(number: int, row: str) -> dict[str, Any]:
    """`name, type, length`; type and length may be left out."""
    parts = [part.strip() for part in row.replace("，", ",").rsplit(",", 2)]
    item: dict[str, Any] = {"name": parts[0]}
    if len(parts) > 1 and parts[1]:
        item["type"] = parts[1].upper()
    if len(parts) > 2 and parts[2]:
        item["length"] = parts[2]
    try:
        return Item.model_validate(item).model_dump(exclude_none=True)
    except ValidationError:
        wrong = {"row": number, "value": row[:100]}
        raise Invalid(fields=[FieldError("items", "bad_item", wrong)]) from None


def _checked(
    shape: type[InventoryLineIn] | type[InventoryLinePatch], fields: dict[str, Any]
) -> dict[str, Any]:
    """The fields as the API would take them. `Invalid` naming every wrong one."""
    sent = read(shape, fields)
    return sent.whole(sent.gather()).model_dump(exclude_unset=True)


def _line(work: Work, body: Agency, line_id: str) -> InventoryLine:
    """`NotFound("line_not_found")` for a line of another body."""
    found = queries.find(work, [line_id])[0]
    if found.agency_id != body.id:
        raise NotFound("line_not_found", id=line_id[:100])
    return found


def _opened(work: Work, lines: Sequence[InventoryLine]) -> Mapping[str, int]:
    """How many datasets open each line."""
    query = select(DatasetLine.line_id, func.count()).where(DatasetLine.line_id.in_([i.id for i in lines]))
    return {row[0]: row[1] for row in work.session.execute(query.group_by(DatasetLine.line_id))}


def _values(line: InventoryLine) -> dict[str, list[str]]:
    values = {name: [str(getattr(line, name) or "")] for name in TEXTS}
    values |= city.typed(line.city_fields)
    values["related_codes"] = ["，".join(line.related_codes)]
    values["items"] = ["\n".join(_row(item) for item in line.items)]
    values["edition"] = [str(line.edition)]
    return values


def _row(item: Mapping[str, Any]) -> str:
    """An information item as the form's line."""
    length = item.get("length")
    return f"{item['name']}, {item.get('type', 'C')}" + (f", {length}" if length is not None else "")


def _form(
    request: Request,
    language: str,
    work: Work,
    body: Agency,
    line: InventoryLine | None,
    form: Form,
    error: Invalid | Conflict | None = None,
) -> Response:
    called = {city.PREFIX + field.name: field.said(language) for field in city.asked_of_lines(work)}
    wrong = problems(error, language, (*TEXTS, *LISTS, "items", *called)) if error else []
    return page(
        request,
        "console/line.html",
        language,
        body=body,
        tabs=tabs(work, body),
        line=line,
        form=form,
        city=city.asked_of_lines(work),
        called=called,
        code_lists={name: [c.value for c in kind if c.value] for name, kind in CODE_LISTS.items()},
        regions=sorted(codes().regions),
        wrong=wrong,
    )
