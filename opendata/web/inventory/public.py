"""The public inventory: what the bodies hold, also what is not open, and why; what changed and when."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from opendata.access import policy as access_policy
from opendata.accounts.service import called
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_edit, may_see_drafts
from opendata.catalog import views
from opendata.catalog.models import Dataset, DatasetLine, Release
from opendata.core.clock import BEIJING
from opendata.core.errors import BadQuery, FieldError
from opendata.inventory import policy, queries, versions
from opendata.inventory.models import DataLevel, Domain, InventoryLine, Openness
from opendata.inventory.profile import queries as profile
from opendata.inventory.queries import Wanted
from opendata.web.http import PageWork
from opendata.web.inventory.wording import words
from opendata.web.public import PageNumber
from opendata.web.render import Pager, link, page
from opendata.work.unit import Work

router = APIRouter()
A_PAGE = 50
_YES = {"true": True, "false": False}
Page = Annotated[PageNumber, Query(alias="page")]
Text = Annotated[str, Query(max_length=100)]


@router.get("/inventory")
def inventory(
    request: Request,
    language: str,
    work: PageWork,
    agency: Text = "",
    openness: Text = "",
    domain: Text = "",
    data_level: Text = "",
    opened: Text = "",
    q: Text = "",
    city_field: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
    page_: Page = 1,
) -> Response:
    """Lines of all bodies or of one; an unknown word in the address finds nothing."""
    body = agencies.find(work, agency) if agency else None
    city = queries.city_values(work, city_field)
    wanted = Wanted(body.id if body else "", openness, domain, data_level, _YES.get(opened), q.strip(), city)
    found = queries.page(work, wanted, offset=(page_ - 1) * A_PAGE, limit=A_PAGE)
    asked = {
        "agency": agency, "openness": openness, "domain": domain, "data_level": data_level, "opened": opened, "q": q}  # fmt: skip
    every = agencies.every(work)
    return page(
        request,
        "inventory/list.html",
        language,
        public=True,
        lines=found.items,
        opened=queries.opened_since(work, [line.id for line in found.items]),
        pager=Pager(page_, A_PAGE, found.total),
        counts=queries.counts_by_openness(work, Wanted(wanted.agency_id)),
        asked=asked | {"city_field": city_field},
        body=body,
        bodies=every,
        city=[f for f in profile.line_fields(work) if f.facet and not f.retired],
        by_id={b.id: b for b in every},
        choices={"openness": list(Openness), "domain": list(Domain), "data_level": list(DataLevel)},
        exports={
            form: link(f"/api/v1/inventory.{form}", **asked, city_field=city_field)
            for form in ("csv", "xlsx")
        },
    )


@router.get("/inventory/{line:short}")
def line(request: Request, language: str, line: str, work: PageWork) -> Response:
    """All elements and items of a line, the datasets that open it, its history; for its people also whether it is withheld."""
    found, body = find(work, line)
    history = versions.of_line(work, found, body)
    return page(
        request,
        "inventory/line.html",
        language,
        public=True,
        line=found,
        body=body,
        datasets=_datasets(work, found),
        people=called(work, [v.actor_id for v in history]),
        history=[(v, versions.shown(work, body, v)[1]) for v in history],
        inside=may_see_drafts(work.actor, body),
        may_edit=may_edit(work.actor, body),
        may_withhold=policy.may_withhold(work.actor, body),
        **words(language, profile.line_fields(work)),
    )


@router.get("/agency/{name:short}/inventory/versions")
def history(
    request: Request,
    language: str,
    name: str,
    work: PageWork,
    since: Text = "",
    until: Text = "",
    page_: Page = 1,
) -> Response:
    """A body's list as it changed: every step, and what became of it between two days."""
    body = agencies.find(work, name)
    steps = versions.of_list(work, body, offset=(page_ - 1) * A_PAGE, limit=A_PAGE)
    today = work.now.astimezone(BEIJING).date()
    first = _day("since", since) or today - timedelta(days=30)
    last = _day("until", until) or today
    begin, end = (datetime.combine(d, time.min, BEIJING) for d in (first, last + timedelta(days=1)))
    return page(
        request,
        "inventory/history.html",
        language,
        public=True,
        body=body,
        since=first.isoformat(),
        until=last.isoformat(),
        differences=versions.difference(work, body, begin, end),
        people=called(work, [v.actor_id for v in steps.items]),
        steps=[(v, *versions.shown(work, body, v)) for v in steps.items],
        there={line.id for line in queries.every(work, Wanted(body.id))},
        pager=Pager(page_, A_PAGE, steps.total),
        inside=may_see_drafts(work.actor, body),
        **words(language, profile.line_fields(work)),
    )


def find(work: Work, line_id: str) -> tuple[InventoryLine, Agency]:
    """`NotFound("line_not_found")` also for a line that is withheld from the reader."""
    found = queries.find(work, [line_id])[0]
    return found, agencies.by_ids(work.session, [found.agency_id])[found.agency_id]


def _datasets(work: Work, line: InventoryLine) -> list[views.DatasetView]:
    """Public datasets that open the line."""
    query = (
        select(Dataset, Release)
        .join(DatasetLine, DatasetLine.dataset_id == Dataset.id)
        .join(Release, Release.id == Dataset.published_id)
        .where(DatasetLine.line_id == line.id, access_policy.PUBLIC_FILTER)
    )
    rows = work.session.execute(query.order_by(Dataset.name).limit(50)).all()
    return views.many(work.session, [(dataset, release) for dataset, release in rows])


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if not 2000 <= found.year <= 2200:
        raise BadQuery(fields=[FieldError(name, "bad_day", {"value": text[:40]})])
    return found
