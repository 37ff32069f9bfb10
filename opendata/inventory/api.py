"""Inventory lines (数据资源清单). What exists is public, also what is not open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import AwareDatetime

from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_see_drafts
from opendata.edge.conventions import Limit, Offset, check_if_match, documented, json_answer, known_query
from opendata.edge.http import ApiWork, SignedInWork
from opendata.edge.reading import Body
from opendata.inventory import queries, service, versions
from opendata.inventory.models import DataLevel, Domain, InventoryLine, LineVersion, Openness
from opendata.inventory.profile import queries as profile
from opendata.inventory.queries import Wanted
from opendata.inventory.schemas import (
    ChangeOut,
    DifferenceOut,
    InventoryLineIn,
    InventoryLineOut,
    InventoryLinePatch,
    InventoryPage,
    LineVersionOut,
    VersionOut,
    VersionPage,
    WithheldIn,
)
from opendata.work.unit import Work

router = APIRouter(tags=["inventory"], dependencies=[Depends(known_query)])
LINE = "/inventory/{line:path}"
LIST = "/agencies/{name}/inventory"


def wanted(
    work: ApiWork,
    agency: Annotated[str | None, Query(description="Name or id of the providing body")] = None,
    openness: Openness | None = None,
    domain: Domain | None = None,
    data_level: DataLevel | None = None,
    opened: Annotated[
        bool | None, Query(description="false: to be opened, and no public dataset does so yet")
    ] = None,
    q: Annotated[str, Query(max_length=100, description="Part of title or abstract, or a code's start")] = "",
    city_field: Annotated[
        list[str], Query(max_length=20, description="A field of the city's own and its value: `NAME:VALUE`")
    ] = [],  # noqa: B006 - FastAPI copies it
) -> Wanted:
    """Which lines a list or an export asks for."""
    agency_id = agencies.find(work, agency).id if agency is not None else ""
    city = queries.city_values(work, city_field)
    return Wanted(agency_id, openness or "", domain or "", data_level or "", opened, q.strip(), city)


Asked = Annotated[Wanted, Depends(wanted)]


@router.post("/inventory", status_code=201)
def create_line(work: SignedInWork, sent: Body[InventoryLineIn], response: Response) -> InventoryLineOut:
    """A new line; elements that are left out are filled in and listed in `defaulted`."""
    wrong = sent.gather()
    agency = agencies.find(work, sent.need("agency", wrong))
    with wrong:
        service.check(agency, {"title": "", **sent.right}, profile.line_fields(work))
    body = sent.whole(wrong)
    fields = body.model_dump(exclude_unset=True, exclude={"agency", "withheld_ground"})
    line = service.create(work, agency, fields, withheld_ground=body.withheld_ground or "")
    response.headers["Location"] = f"/api/v1/inventory/{line.id}"
    return shape(work, [line])[0]


@router.get("/inventory", responses=documented(InventoryPage))
def list_lines(work: ApiWork, asked: Asked, offset: Offset = 0, limit: Limit = 100) -> Response:
    """Lines by resource code, with what is not open and why."""
    page = queries.page(work, asked, offset=offset, limit=limit)
    found = InventoryPage(total=page.total, results=shape(work, list(page.items)))
    return json_answer(found, public=work.actor.is_public)


@router.get(LINE + "/versions", responses=documented(list[VersionOut]))
def line_versions(work: ApiWork, line: str) -> Response:
    """The line's changes, newest first: when, what, from what to what; for the body's people also who."""
    found, agency = _find(work, line)
    told = [_version(work, agency, v) for v in versions.of_line(work, found, agency)]
    return json_answer(told, public=work.actor.is_public)


@router.get(LINE + "/versions/{edition:int}", responses=documented(LineVersionOut))
def line_version(work: ApiWork, line: str, edition: int) -> Response:
    """The whole line as one of its versions had it: an old version stays readable."""
    found, agency = _find(work, line)
    version = versions.version(work, found, agency, edition)
    told = LineVersionOut(**_version(work, agency, version).model_dump(), content=version.after)
    return json_answer(told, public=work.actor.is_public)


@router.put(LINE + "/withheld")
def withhold_line(work: SignedInWork, line: str, body: WithheldIn) -> InventoryLineOut:
    """By a secrecy reviewer: the public no longer learns that the line exists. Only a line that is not open."""
    found, agency = _find(work, line)
    return shape(work, [service.withhold(work, found, agency, body.ground)])[0]


@router.delete(LINE + "/withheld")
def reveal_line(
    work: SignedInWork, line: str, reason: Annotated[str, Query(min_length=1, max_length=500)]
) -> InventoryLineOut:
    """By a secrecy reviewer: the line is public again."""
    found, agency = _find(work, line)
    return shape(work, [service.reveal(work, found, agency, reason)])[0]


@router.get(LINE, responses=documented(InventoryLineOut))
def get_line(work: ApiWork, line: str) -> Response:
    """One line, by its id or its resource code (which holds a slash)."""
    found, _agency = _find(work, line)
    return json_answer(shape(work, [found])[0], public=work.actor.is_public, etag=str(found.edition))


@router.patch(LINE)
def edit_line(
    work: SignedInWork,
    line: str,
    sent: Body[InventoryLinePatch],
    response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> InventoryLineOut:
    """Changes the named elements."""
    found, agency = _find(work, line)
    check_if_match(if_match, str(found.edition))
    wrong = sent.gather()
    with wrong:
        service.changed(found, dict(sent.right), profile.line_fields(work))
    body = sent.whole(wrong)
    edited = service.update(work, found, agency, body.model_dump(exclude_unset=True))
    response.headers["ETag"] = f'"{edited.edition}"'
    return shape(work, [edited])[0]


@router.get(LIST + "/versions", responses=documented(VersionPage))
def list_versions(work: ApiWork, name: str, offset: Offset = 0, limit: Limit = 100) -> Response:
    """All changes of the body's list, newest first."""
    agency = agencies.find(work, name)
    page = versions.of_list(work, agency, offset=offset, limit=limit)
    told = VersionPage(total=page.total, results=[_version(work, agency, v) for v in page.items])
    return json_answer(told, public=work.actor.is_public)


@router.get(LIST + "/differences", responses=documented(list[DifferenceOut]))
def list_differences(
    work: ApiWork,
    name: str,
    since: Annotated[AwareDatetime, Query(description="After this moment (2026-11-23T12:00:00Z)")],
    until: Annotated[AwareDatetime | None, Query(description="Up to this moment; now if left out")] = None,
) -> Response:
    """What became of the body's list between two moments: 新增, 调整, 取消."""
    agency = agencies.find(work, name)
    end: datetime = until or work.now
    told = [
        DifferenceOut(
            kind=d.kind,
            line=d.line_id,
            resource_code=d.resource_code,
            title=d.title,
            changes=_changes(d.changes),
        )
        for d in versions.difference(work, agency, since, end)
    ]
    return json_answer(told, public=work.actor.is_public and until is not None)


def shape(work: Work, lines: list[InventoryLine]) -> list[InventoryLineOut]:
    bodies = agencies.by_ids(work.session, {line.agency_id for line in lines})
    own = InventoryLineOut.model_fields.keys() - {"agency", "provider_code", "withheld_ground", "opened_at"}
    opened = queries.opened_since(work, [line.id for line in lines])
    return [
        InventoryLineOut(
            agency=bodies[line.agency_id].name,
            provider_code=bodies[line.agency_id].uscc,
            withheld_ground=line.withheld_ground or None,
            opened_at=opened.get(line.id),
            **{field: getattr(line, field) for field in own},
        )
        for line in lines
    ]


def _find(work: Work, name: str) -> tuple[InventoryLine, Agency]:
    line = queries.find(work, [name])[0]
    return line, agencies.by_ids(work.session, [line.agency_id])[line.agency_id]


def _version(work: Work, agency: Agency, version: LineVersion) -> VersionOut:
    title, changes = versions.shown(work, agency, version)
    return VersionOut(
        line=version.line_id,
        resource_code=version.resource_code,
        title=title,
        edition=version.edition,
        action=version.action,
        at=version.at,
        by=version.actor_name if may_see_drafts(work.actor, agency) else None,
        changes=_changes(changes),
    )


def _changes(found: Iterable[versions.Change]) -> list[ChangeOut]:
    return [ChangeOut(element=c.element, before=c.before, after=c.after) for c in found]
