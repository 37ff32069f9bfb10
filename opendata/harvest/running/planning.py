"""What a run would do: each record that was gathered against what is held. Nothing is written here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select

from opendata.catalog import queries as catalog
from opendata.catalog.models import Dataset, DatasetState
from opendata.core.canonical import sha256_json
from opendata.harvest.models import LONGEST_IDENTIFIER, Action, HarvestSource, HeldRecord
from opendata.harvest.record import Record, Refused
from opendata.harvest.running.fitting import Told, name_of, other_name, told
from opendata.work.unit import Work

ALWAYS_BELIEVED = 5
BELIEVED_SHARE = 0.2
"""A loss of more than the larger of the two is not believed without asking; nor that all is gone."""
_AT_ONCE = 500


@dataclass(frozen=True)
class Held:
    """What is known of a held record."""

    dataset_id: str
    hash: str
    archived_at: datetime | None
    missing_runs: int
    missing_since: datetime | None
    dataset_state: str

    @property
    def is_lost(self) -> bool:
        """Whether its not being shown is news: not of what was archived, or taken out by people here."""
        return self.archived_at is None and self.dataset_state == DatasetState.ACTIVE.value

    @property
    def is_deleted(self) -> bool:
        """A person here put the dataset into the bin."""
        return self.dataset_state in (DatasetState.DELETED.value, DatasetState.PURGED.value)


@dataclass(frozen=True)
class Entry:
    """A line of the plan."""

    identifier: str
    action: Action
    title: str = ""
    dataset_id: str | None = None
    why: Told | None = None


@dataclass
class Judge:
    """Goes through the records once. `held` and `lost` are right when it is through."""

    work: Work
    source: HarvestSource
    site_url: str
    held: int = 0
    lost: int = 0
    _known: dict[str, Held] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _nameless: int = 0
    """Refused records that nobody can tell apart: whatever is not shown may be one of them."""
    _named: set[str] = field(default_factory=set)
    """Names that others have already, or new records before in this plan."""

    def __post_init__(self) -> None:
        self._known = _known(self.work, self.source)
        self.held = sum(held.is_lost for held in self._known.values())

    @property
    def asks(self) -> bool:
        """Whether so much is lost that a person has to say whether it is gone."""
        return self.lost > max(ALWAYS_BELIEVED, BELIEVED_SHARE * self.held) or self.held == self.lost > 0

    def entries(self, records: Iterable[Record | Refused]) -> Iterator[Entry]:
        for some in _batches(records):
            read = [record for record in some if isinstance(record, Record)]
            elsewhere = _elsewhere(self.work, self.source, read)
            new = {name_of(record) for record in read if record.identifier not in self._known}
            self._named |= catalog.taken_names(self.work, new)
            for record in some:
                if (entry := self._entry(record, elsewhere)) is not None:
                    yield entry
        yield from self._missing()

    def _entry(self, record: Record | Refused, elsewhere: Mapping[str, Elsewhere]) -> Entry | None:
        if record.identifier in self._seen:
            return _refused(record, told("harvest_record_twice", identifier=record.identifier[:200]))
        if record.identifier:
            self._seen.add(record.identifier)
        else:
            self._nameless += 1
        if isinstance(record, Refused):
            return Entry(record.identifier, Action.REFUSED, why=told(record.code, **record.params))
        held = self._known.get(record.identifier)
        if record.deleted:
            return self._told_gone(record, held)
        if (wrong := self._wrong(record, held)) is not None:
            return wrong
        if held is None:
            return self._new(record, elsewhere.get(origin_of(record)))
        action = Action.UNCHANGED if held.hash == mark(record, self.source) else Action.UPDATED
        return Entry(
            record.identifier,
            Action.RETURNED if held.archived_at is not None else action,
            title_of(record),
            held.dataset_id,
        )

    def _new(self, record: Record, other: Elsewhere | None) -> Entry:
        if other is not None:
            return _found_elsewhere(record, self.source, other)
        name = name_of(record)
        why = other_name(name) if name in self._named else None
        if name:
            self._named.add(name)
        return Entry(record.identifier, Action.CREATED, title_of(record), why=why)

    def _wrong(self, record: Record, held: Held | None) -> Entry | None:
        if not record.identifier or len(record.identifier) > LONGEST_IDENTIFIER:
            return _refused(record, told("harvest_bad_identifier", limit=LONGEST_IDENTIFIER))
        if not title_of(record):
            return _refused(record, told("harvest_no_title"))
        own = _bare(self.site_url) + "/"
        if any(_bare(address).startswith(own) for address in (record.origin, record.page)):
            return _refused(record, told("harvest_own_dataset", address=(record.origin or record.page)[:200]))
        if held is not None and held.is_deleted:
            return _refused(record, told("harvest_deleted_here"))
        return None

    def _told_gone(self, record: Record, held: Held | None) -> Entry | None:
        if held is None or not held.is_lost:
            return None
        self.lost += 1
        return Entry(
            record.identifier, Action.GONE, dataset_id=held.dataset_id, why=told("harvest_told_gone")
        )

    def _missing(self) -> Iterator[Entry]:
        """What is held and was not shown, archived when that has lasted long enough."""
        for some in _batches(i for i, held in self._known.items() if held.is_lost and i not in self._seen):
            titles = _titles(self.work, self.source, some)
            for identifier in some:
                held = self._known[identifier]
                self.lost += 1
                gone = self._nameless == 0 and self._has_lasted(held)
                action = Action.GONE if gone else Action.MISSING
                yield Entry(identifier, action, titles.get(identifier, ""), held.dataset_id)

    def _has_lasted(self, held: Held) -> bool:
        days, now = self.source.gone_after_days, self.work.now
        if days and held.missing_since is not None and now - held.missing_since >= timedelta(days=days):
            return True
        return held.missing_runs + 1 >= self.source.gone_after_runs


@dataclass(frozen=True)
class Elsewhere:
    """The same dataset, held of another source."""

    dataset_id: str
    source: str
    agency_id: str
    direct: bool
    ended: bool
    """That source was deleted."""


def mark(record: Record, source: HarvestSource) -> str:
    """A hash over what the remote says, and what of the source's settings shows in the dataset."""
    resources = [[dict(r.fields), r.identifier, r.sha256, r.content] for r in record.resources]
    settings = [source.licence, source.copy_files]
    return sha256_json([dict(record.fields), resources, record.page, record.origin, settings])


def title_of(record: Record) -> str:
    return str(record.fields.get("title") or "").strip()


def origin_of(record: Record) -> str:
    """The address under which it was first published, as it is compared; empty where nobody told one."""
    origin = _bare(record.origin or record.page)
    return origin if len(origin) <= LONGEST_IDENTIFIER else ""


def is_direct(record: Record, source: HarvestSource) -> bool:
    """Whether the source is where it was first published."""
    return not record.origin or _host(record.origin) == _host(source.url)


def _bare(address: str) -> str:
    """Without what makes two writings of one address."""
    return re.sub(r"^https?://", "", address.strip(), flags=re.IGNORECASE).rstrip("/")


def _host(address: str) -> str:
    return _bare(address).partition("/")[0].lower()


def _found_elsewhere(record: Record, source: HarvestSource, other: Elsewhere) -> Entry:
    """The origin wins: what came by another way, or of a source that was deleted, is taken over with its id."""
    yields = other.ended or (is_direct(record, source) and not other.direct)
    if not yields or other.agency_id != source.agency_id:
        return _refused(record, told("harvest_held_elsewhere", source=other.source))
    why = told("harvest_taken_over", source=other.source)
    return Entry(record.identifier, Action.UPDATED, title_of(record), other.dataset_id, why)


def _refused(record: Record | Refused, why: Told) -> Entry:
    title = title_of(record) if isinstance(record, Record) else ""
    return Entry(record.identifier, Action.REFUSED, title, why=why)


def _known(work: Work, source: HarvestSource) -> dict[str, Held]:
    columns = (
        HeldRecord.identifier,
        HeldRecord.dataset_id,
        HeldRecord.hash,
        HeldRecord.archived_at,
        HeldRecord.missing_runs,
        HeldRecord.missing_since,
        Dataset.state,
    )
    query = select(*columns).join(Dataset, Dataset.id == HeldRecord.dataset_id)
    mine = query.where(HeldRecord.source_id == source.id).order_by(HeldRecord.identifier)
    return {row[0]: Held(*row[1:]) for row in work.session.execute(mine)}


def _elsewhere(work: Work, source: HarvestSource, records: Sequence[Record]) -> dict[str, Elsewhere]:
    """By their origins: those that another source has, unless it lost them."""
    wanted = {origin for record in records if (origin := origin_of(record))}
    columns = (
        HeldRecord.origin,
        HeldRecord.dataset_id,
        HarvestSource.name,
        HarvestSource.agency_id,
        HeldRecord.direct,
        HarvestSource.ended_at.is_not(None),
    )
    query = select(*columns).join(HarvestSource, HarvestSource.id == HeldRecord.source_id)
    theirs = query.where(
        HeldRecord.origin.in_(wanted), HeldRecord.source_id != source.id, HeldRecord.archived_at.is_(None)
    )
    return {row[0]: Elsewhere(*row[1:]) for row in work.session.execute(theirs)} if wanted else {}


def _titles(work: Work, source: HarvestSource, identifiers: Sequence[str]) -> dict[str, str]:
    query = select(HeldRecord.identifier, HeldRecord.fields["title"].as_string()).where(
        HeldRecord.source_id == source.id, HeldRecord.identifier.in_(identifiers)
    )
    return {identifier: title or "" for identifier, title in work.session.execute(query)}


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
