"""The daily walk over the links: the guarded client asks, one host never twice within `PAUSE_SECONDS`, and no transaction
is open meanwhile. A link is broken when it could not be reached on `queries.BROKEN_AFTER` days in a row.

A look is one GET whose body is left as soon as it is longer than `LIMITS`: it tells status and headers as a HEAD would, and
many servers refuse a HEAD, or answer it as they would not answer a reader. It names what is known of the file
(`If-None-Match`, `If-Modified-Since`), so that a small file travels only when it is another one.

Whoever says that it is busy counts as reached: the server is there. It is left alone for as long as it says (`Retry-After`), and
for the rest of the walk if it says nothing, or says so again. Who has been too busy for `BUSY_FOR` gives its file to nobody, and
counts as reached no more."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import heapify, heappop, heappush
from math import inf
from typing import Any

from sqlalchemy import delete, func, select

from opendata.core.clock import day_of
from opendata.ports.fetcher.port import Fetcher, FetchFailed, FetchLimits
from opendata.supervision.links import queries
from opendata.supervision.links.models import BUSY, REACHED, LinkCheck
from opendata.supervision.links.noticing import NOTHING, Facts, facts
from opendata.supervision.links.queries import LONGEST_RETRY, Link
from opendata.supervision.mqa import service as mqa
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

JOB = "supervision.links"
LIMITS = FetchLimits(size=64 << 10, seconds=10.0)
"""Enough to know that somebody answers; a larger file is not taken whole."""
PAUSE_SECONDS = 1.0
RUN_SECONDS = 600.0
"""Of one day's walk: a thread of the jobs is not held longer. What is left is first the next day."""
KEPT = timedelta(days=400)
BUSY_FOR = timedelta(days=14)
_THERE = ("fetch_too_large", "fetch_encoded")


@dataclass(frozen=True)
class Look:
    outcome: str
    status: int | None = None
    facts: Facts = NOTHING
    """Nothing, if nothing was told or the file is the one of the look before."""
    retry: timedelta | None = None

    @property
    def busy(self) -> bool:
        return self.status in BUSY


class Turns:
    """Whose turn it is: the links of each host, those first that have waited longest, one host after the other."""

    def __init__(self, waiting: Collection[Link], free_in: Mapping[str, float]) -> None:
        """`free_in`: seconds for which a host has still to be left alone."""
        now = time.monotonic()
        self._links: dict[str, list[Link]] = {}
        for link in waiting:
            self._links.setdefault(link.host, []).append(link)
        self._turn = len(self._links)
        """Counts up: of two hosts that are free, that one whose turn was longer ago."""
        self._hosts = [
            (now + free_in[host] if host in free_in else 0.0, place, host)
            for place, host in enumerate(self._links)
        ]
        heapify(self._hosts)
        for links in self._links.values():
            links.reverse()

    def next(self, ends: float) -> Link | None:
        """Waits for the turn of the next link; None if none comes before `ends`."""
        if not self._hosts or max(self._hosts[0][0], now := time.monotonic()) > ends:
            return None
        free_at, _, host = heappop(self._hosts)
        time.sleep(max(0.0, free_at - now))
        return self._links[host].pop()

    def asked(self, link: Link, pause: float) -> None:
        """The host's next link has its turn after so many seconds."""
        if self._links[link.host]:
            self._turn += 1
            heappush(self._hosts, (time.monotonic() + pause, self._turn, link.host))


def check(place: Workplace, fetcher: Fetcher) -> None:
    """Job: one look at each link that has not been looked at today, those first that have waited longest."""
    ends = time.monotonic() + RUN_SECONDS
    with place.reading(SYSTEM) as work:
        left = {h: (until - work.now).total_seconds() for h, until in queries.left_alone(work).items()}
        turns = Turns(_waiting(work), left)
    refused: set[str] = set()
    while (link := turns.next(ends)) is not None:
        with place.reading(SYSTEM) as work:
            before = _before(work, link)
        look = _ask(fetcher, link.url, _known(before))
        turns.asked(link, _pause(look, again=link.host in refused))
        if look.busy:
            refused.add(link.host)
        with place.writing(SYSTEM) as work:
            _note(work, link, look)
    with place.writing(SYSTEM) as work:
        work.session.execute(delete(LinkCheck).where(LinkCheck.day < day_of(work.now) - KEPT))


def _pause(look: Look, *, again: bool) -> float:
    if not look.busy:
        return PAUSE_SECONDS
    return inf if again or look.retry is None else max(look.retry.total_seconds(), PAUSE_SECONDS)


def _waiting(work: Work) -> list[Link]:
    """Those without a look today, the longest waiting first."""
    query = select(LinkCheck.resource_id, func.max(LinkCheck.day)).group_by(LinkCheck.resource_id)
    seen: dict[str, date] = {resource_id: day for resource_id, day in work.session.execute(query)}  # noqa: C416 - rows are no pairs for mypy
    today = day_of(work.now)
    found = [link for link in queries.links(work) if seen.get(link.resource_id, date.min) < today]
    return sorted(found, key=lambda link: seen.get(link.resource_id, date.min))


def _before(work: Work, link: Link) -> LinkCheck | None:
    return next(iter(queries.looks(work, link.resource_id, link.url)), None)


def _known(before: LinkCheck | None) -> Facts:
    return Facts(before.etag, before.last_modified, before.length) if before is not None else NOTHING


def _ask(fetcher: Fetcher, url: str, known: Facts) -> Look:
    def forget(_piece: bytes) -> Any:
        return None

    try:
        found = fetcher.fetch(url, forget, LIMITS, known.conditions())
    except FetchFailed as failure:
        status = failure.params.get("status")
        if status in BUSY:
            after = failure.retry_after
            retry = min(timedelta(seconds=after), LONGEST_RETRY) if after is not None else None
            return Look(failure.code, status, retry=retry)
        if failure.code in _THERE:
            return Look(REACHED, facts=facts(failure.headers))
        return Look(failure.code, status)
    return Look(REACHED, facts=NOTHING if found.unchanged else facts(found.headers))


def _outcome(work: Work, link: Link, look: Look) -> str:
    if not look.busy:
        return look.outcome
    since = queries.busy_since(work, link.resource_id, link.url)
    is_long = since is not None and day_of(work.now) - since >= BUSY_FOR
    return look.outcome if is_long else REACHED


def _note(work: Work, link: Link, look: Look) -> None:
    """A look that tells nothing of the file leaves what is known of it."""
    outcome = _outcome(work, link, look)
    if (outcome == REACHED) != bool(queries.reached(work, [link.resource_id])):
        mqa.forget(work, link.dataset_id)
    today, before = day_of(work.now), _before(work, link)
    known, changed_on = _known(before), before.changed_on if before is not None else None
    changed = bool(look.facts and known) and look.facts.differs(known)
    if look.facts:
        noticed = today if changed or changed_on is None else changed_on
        changed_on = look.facts.day(today) or noticed
        known = look.facts
    work.session.add(
        LinkCheck(
            resource_id=link.resource_id,
            dataset_id=link.dataset_id,
            url=link.url,
            day=today,
            outcome=outcome,
            status=look.status,
            at=work.now,
            etag=known.etag,
            last_modified=known.last_modified,
            length=known.length,
            changed=changed,
            changed_on=changed_on,
            retry_at=work.now + look.retry if look.retry is not None else None,
        )
    )
