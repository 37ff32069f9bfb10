"""What a harvester asks of the catalogue: a page, only what changed since, only what it searches for, an edition of DCAT-AP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from opendata.compat.dcat import profiles as editions
from opendata.compat.dcat.catalogue import PAGE_SIZE
from opendata.core.errors import BadQuery, FieldError, NotFound
from opendata.feeds import reading
from opendata.feeds.graph import stamp
from opendata.ports.search_index.port import All, Between, Request, SearchIndex, Sort
from opendata.ports.search_index.port import Query as SearchQuery
from opendata.search import service as search
from opendata.search.lucene import MAX_LENGTH, parse_fq, parse_q
from opendata.work.unit import Work

Profiles = Annotated[
    str,
    Query(max_length=200, description="Editions of DCAT-AP: 3.0.1, or 2.1.1; the names of ckanext-dcat too"),
]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000, description=f"Pages of {PAGE_SIZE} datasets, from 1")]
_SOLR = "in the language of CKAN's package_search"


@dataclass(frozen=True)
class Asked:
    page: int
    after: str
    modified_since: datetime | None
    q: str
    fq: str
    profiles: str

    @property
    def edition(self) -> str:
        return editions.edition(self.profiles)

    @property
    def is_search(self) -> bool:
        return bool(self.q or self.fq)

    @property
    def depends_on_time(self) -> bool:
        """`NOW-7DAYS` means something else tomorrow, even if nothing changes."""
        return "NOW" in self.q + self.fq

    @property
    def repeated(self) -> Mapping[str, str]:
        """What the addresses of the other pages repeat."""
        since = stamp(self.modified_since) if self.modified_since is not None else ""
        named = {"modified_since": since, "q": self.q, "fq": self.fq, "profiles": self.profiles}
        return {name: value for name, value in named.items() if value}


async def asked(
    page: PageNumber = 1,
    after: Annotated[
        UUID | None, Query(description="The id of the last dataset of the page before; `next` has it")
    ] = None,
    modified_since: Annotated[
        datetime | None,
        Query(description="Only what was published or changed since (ISO 8601; UTC unless it says)"),
    ] = None,
    q: Annotated[str, Query(max_length=MAX_LENGTH, description=f"Words, {_SOLR}")] = "",
    fq: Annotated[str, Query(max_length=MAX_LENGTH, description=f"A filter, {_SOLR}")] = "",
    profiles: Profiles = "",
) -> Asked:
    since = _in_utc(modified_since) if modified_since is not None else None
    return Asked(page, str(after or ""), since, q.strip(), fq.strip(), profiles)


CataloguePage = Annotated[Asked, Depends(asked)]


@dataclass(frozen=True)
class Answered:
    found: reading.Page
    total: int
    """Of all pages."""


def answer(work: Work, index: SearchIndex, wanted: Asked, public: int) -> Answered:
    """That page. `public`: how many datasets there are in all. `NotFound("no_such_page")` for one beyond the last."""
    skipped = 0 if wanted.after else (wanted.page - 1) * PAGE_SIZE
    if wanted.is_search:
        given = _searched(work, index, wanted, min(skipped, public))
    else:
        since = wanted.modified_since
        total = reading.count_since(work, since) if since else public
        page = reading.page(work, offset=skipped, after=wanted.after, limit=PAGE_SIZE, since=since)
        given = Answered(page, total)
    if skipped and not given.found.records:
        raise NotFound("no_such_page", pages=max(1, -(-given.total // PAGE_SIZE)))
    return given


def _searched(work: Work, index: SearchIndex, wanted: Asked, skipped: int) -> Answered:
    """In the order of their ids, by number: an index has no place behind an id."""
    parts: list[SearchQuery] = [parse_fq(wanted.fq, work.now)] if wanted.fq else []
    if wanted.modified_since is not None:
        parts.append(Between("modified", wanted.modified_since))
    request = Request(
        query=parse_q(wanted.q, work.now),
        filter=All(tuple(parts)),
        sort=(Sort("id", descending=False),),
        offset=skipped,
        limit=PAGE_SIZE,
    )
    found = search.find(work, index, request)
    more = skipped + PAGE_SIZE < found.total
    records = reading.of_ids(work, [hit.id for hit in found.hits])
    return Answered(reading.Page(records, "" if more else None), found.total)


def _in_utc(at: datetime) -> datetime:
    """Without a zone UTC is meant. The first and the last day of all have no time in UTC for every zone."""
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        limits = {"minimum": "0001-01-02", "maximum": "9999-12-30"}
        raise BadQuery(fields=[FieldError("modified_since", "out_of_range", limits)]) from None
