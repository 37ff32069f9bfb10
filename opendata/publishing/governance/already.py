"""What is public already and an entry of the negative list forbids. A new entry withdraws nothing: it lists, and tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opendata.access.policy import PUBLIC_FILTER
from opendata.accounts.notices import service as notices
from opendata.accounts.notices.models import Occasion
from opendata.agencies.delegation import queries as delegations
from opendata.catalog import queries
from opendata.catalog.views import DatasetView
from opendata.inventory.negative import matching
from opendata.inventory.negative import queries as negative
from opendata.inventory.negative.models import NegativeEntry
from opendata.publishing.governance.bar import lines_of
from opendata.review import forbidden
from opendata.validation import service as validation
from opendata.work.actor import Role
from opendata.work.unit import Work

AT_ONCE = 200
"""Datasets that are held in memory at a time."""
TOLD = (Role.EDITOR, Role.CONTENT_REVIEWER, Role.SECRECY_REVIEWER)


@dataclass(frozen=True)
class Match:
    """A public dataset, the entry that forbids it, and where that shows."""

    view: DatasetView
    hit: matching.Hit


def matches(work: Work, entries: Sequence[NegativeEntry]) -> Iterator[Match]:
    """Every public dataset that one of the entries forbids, in the order of their ids."""
    after = ""
    while entries and (ids := queries.published_ids(work, visible=PUBLIC_FILTER, after=after, limit=AT_ONCE)):
        after = ids[-1]
        for view in queries.published(work, ids, visible=PUBLIC_FILTER):
            columns = validation.columns(work.session, view)
            subject = forbidden.subject_of(view, lines_of(work, view.dataset), columns)
            yield from (Match(view, hit) for hit in matching.hits(entries, subject))


def tell(work: Work, entry: NegativeEntry) -> list[Match]:
    """What the entry forbids of what is public, if it binds today; the people of each body get a notice, once for each
    dataset. Whether it is withdrawn or stays on another ground is theirs to say, and the supervisors' (the daily check)."""
    if entry not in negative.in_force(work):
        return []
    found = list(matches(work, [entry]))
    for match in found:
        agency = match.view.agency
        people = {user.id for role in TOLD for user in delegations.holders(work, agency, role)}
        notices.tell(
            work,
            people,
            Occasion.FORBIDDEN_YET_PUBLIC,
            about=f"{entry.id}:{match.view.id}",
            path=f"/console/dataset/{match.view.id}",
            title=match.view.meta.title or match.view.dataset.name,
            entry=f"{entry.number} {entry.subject}",
        )
    return found


def told(work: Work, entry: NegativeEntry) -> list[dict[str, str]]:
    """`tell`, as the API words it."""
    return [
        {
            "dataset": match.view.id,
            "name": match.view.dataset.name,
            "title": match.view.meta.title,
            "agency": match.view.agency.name,
            "field": match.hit.place,
            "word": match.hit.word,
        }
        for match in tell(work, entry)
    ]
