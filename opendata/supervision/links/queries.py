"""Reads: which links there are, which are broken, what is known of the files behind them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import aliased

from opendata.access.policy import PUBLIC_FILTER
from opendata.access.service import SeenResource
from opendata.catalog.models import Dataset, Release, ResourceVersion
from opendata.catalog.profile import WRITTEN
from opendata.core.clock import day_of
from opendata.core.errors import NotFound
from opendata.core.paging import Page
from opendata.supervision.links.models import BUSY, REACHED, LinkCheck
from opendata.work.unit import Work

BROKEN_AFTER = 3
LONGEST_RETRY = timedelta(days=7)
"""No server is left alone for longer than that, whatever it asks for."""


@dataclass(frozen=True)
class Link:
    resource_id: str
    dataset_id: str
    name: str
    title: str
    agency_id: str
    url: str

    @property
    def host(self) -> str:
        return host_of(self.url)


@dataclass(frozen=True)
class Broken:
    link: Link
    since: date
    """The first of the days in a row."""
    outcome: str
    status: int | None


@dataclass(frozen=True)
class Remote:
    """What is known of the files behind a dataset's links."""

    changed_on: date | None
    """When the newest of them changed."""
    unknown: bool
    """Of some of them nothing is known."""


def host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def links(work: Work) -> list[Link]:
    """Every resource of a public dataset that is an address elsewhere."""
    return [_link(row) for row in work.session.execute(_links()) if _leads_away(row)]


def link_of(found: SeenResource) -> str:
    """The address of a resource as it is shown. `NotFound("no_link")` for one that has a file or rows of its own."""
    meta = found.resource.meta
    if found.resource.file is not None or not meta.url or meta.extras.get("url_type") == WRITTEN:
        raise NotFound("no_link", id=found.resource.id)
    return meta.url


def broken(work: Work) -> Iterator[Broken]:
    """Links of what is public now whose last looks all failed."""
    for link in links(work):
        last = looks(work, link.resource_id, link.url, limit=BROKEN_AFTER)
        if is_broken(last):
            yield Broken(link, last[-1].day, last[0].outcome, last[0].status)


def is_broken(last: Sequence[LinkCheck]) -> bool:
    """By the last looks, the newest first."""
    return len(last) >= BROKEN_AFTER and all(look.outcome != REACHED for look in last[:BROKEN_AFTER])


def reached(work: Work, resource_ids: Collection[str]) -> set[str]:
    """Those of these links that could be reached when they were asked last."""
    newest = select(func.max(LinkCheck.id)).where(LinkCheck.resource_id.in_(resource_ids))
    query = select(LinkCheck.resource_id).where(LinkCheck.id.in_(newest.group_by(LinkCheck.resource_id)))
    return set(work.session.execute(query.where(LinkCheck.outcome == REACHED)).scalars())


def busy_since(work: Work, resource_id: str, url: str) -> date | None:
    """The day of the first of the last looks in a row that found the server too busy; None if the last one did not."""
    asked = (LinkCheck.resource_id == resource_id, LinkCheck.url == url)
    other = select(func.max(LinkCheck.id)).where(*asked, func.coalesce(LinkCheck.status, 0).not_in(BUSY))
    first = select(func.min(LinkCheck.day)).where(*asked)
    return work.session.execute(
        first.where(LinkCheck.id > func.coalesce(other.scalar_subquery(), 0))
    ).scalar_one()


def looks(work: Work, resource_id: str, url: str, *, offset: int = 0, limit: int = 1) -> Sequence[LinkCheck]:
    """At this address of the resource, the newest first. An address that it had before is another link."""
    query = select(LinkCheck).where(LinkCheck.resource_id == resource_id, LinkCheck.url == url)
    query = query.order_by(LinkCheck.day.desc(), LinkCheck.id.desc()).offset(offset).limit(limit)
    return work.session.execute(query).scalars().all()


def history(work: Work, resource_id: str, url: str, *, offset: int, limit: int) -> Page[LinkCheck]:
    """The same, and how many there are."""
    query = select(func.count()).where(LinkCheck.resource_id == resource_id, LinkCheck.url == url)
    total = work.session.execute(query).scalar_one()
    return Page(looks(work, resource_id, url, offset=offset, limit=limit), total, offset, limit)


def left_alone(work: Work) -> dict[str, datetime]:
    """Hosts that want to be left alone by now, and until when."""
    query = select(LinkCheck.url, LinkCheck.retry_at).where(
        LinkCheck.retry_at > work.now, LinkCheck.day >= day_of(work.now - LONGEST_RETRY)
    )
    found: dict[str, datetime] = {}
    for url, until in work.session.execute(query):
        if until is not None:
            found[host_of(url)] = max(until, found.get(host_of(url), until))
    return found


def remote(work: Work) -> Mapping[str, Remote]:
    """By dataset, of all that have links, in one statement."""
    newer = aliased(LinkCheck)
    newest = (
        select(newer.id)
        .where(newer.resource_id == ResourceVersion.resource_id)
        .order_by(newer.day.desc(), newer.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = _links().add_columns(LinkCheck.url.label("asked"), LinkCheck.changed_on)
    found: dict[str, Remote] = {}
    for row in work.session.execute(query.outerjoin(LinkCheck, LinkCheck.id == newest)):
        if _leads_away(row):
            changed_on = row.changed_on if row.asked == row.url else None
            before = found.get(row.dataset_id, Remote(None, False))
            days = [day for day in (before.changed_on, changed_on) if day is not None]
            found[row.dataset_id] = Remote(max(days, default=None), before.unknown or changed_on is None)
    return found


LinkRow = Row[str, str, str, str, str, str, str]


def _links() -> Select[str, str, str, str, str, str, str]:
    version = ResourceVersion
    shown = and_(
        version.dataset_id == Dataset.id,
        version.shown_by(Release.number),
        version.file_id.is_(None),
    )
    return (
        select(
            version.resource_id, Dataset.id.label("dataset_id"), Dataset.name, Release.meta["title"].as_string().label("title"),
            Dataset.agency_id, version.meta["url"].as_string().label("url"),
            version.meta["extras"]["url_type"].as_string().label("kind"),
        )
        .join(Release, Release.id == Dataset.published_id)
        .join(version, shown)
        .where(PUBLIC_FILTER)
        .order_by(version.resource_id)
    )  # fmt: skip


def _leads_away(row: LinkRow) -> bool:
    return bool(row.url) and row.kind != WRITTEN


def _link(row: LinkRow) -> Link:
    return Link(row.resource_id, row.dataset_id, row.name, row.title or row.name, row.agency_id, row.url)
