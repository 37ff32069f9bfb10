"""What a target has of us against what is public here now: what a push would do, record by record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, or_, select

from opendata.access.policy import PUBLIC_FILTER
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.catalog import queries as catalog
from opendata.catalog.models import Dataset
from opendata.catalog.views import DatasetView
from opendata.core.canonical import sha256_json
from opendata.harvest.models import HarvestSource, HeldRecord
from opendata.harvest.running.fitting import Told, told
from opendata.reporting import facts, queries
from opendata.reporting.mapping import Lacking, Map, NoWord
from opendata.reporting.models import LineState, PushAction, ReportTarget
from opendata.reporting.queries import Reported
from opendata.work.unit import Work

ALWAYS_BELIEVED, BELIEVED_SHARE = 5, 0.2
"""More withdrawals than these in one push, and somebody has to say so."""
WITHDRAWAL = "withdrawal"
"""In place of a hash, where the target refused to take a record back."""
_AT_ONCE = 500


@dataclass(frozen=True)
class Entry:
    dataset_id: str
    title: str
    action: PushAction
    state: LineState
    told: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Ready:
    """A record in the target's codes, and the hash by which it is known whether that is news."""

    facts: Mapping[str, Any]
    hash: str


@dataclass
class Difference:
    """Goes through the catalogue once; `withdrawn` is right when it is through."""

    work: Work
    target: ReportTarget
    map: Map
    site_url: str
    again: bool = False
    held: int = 0
    withdrawn: int = 0

    def __post_init__(self) -> None:
        self.held = queries.held(self.work, self.target.id)

    @property
    def asks(self) -> bool:
        """Whether so much is to be withdrawn that a person has to say so."""
        return self.withdrawn > max(ALWAYS_BELIEVED, BELIEVED_SHARE * self.held)

    def entries(self) -> Iterator[Entry]:
        theirs, shown = came_from(self.work, self.target), set()
        for views in _public(self.work, covered(self.work, self.target)):
            ids = [view.id for view in views]
            lines, known = catalog.lines_of(self.work, ids), queries.reported(self.work, self.target.id, ids)
            for view in views:
                shown.add(view.id)
                if view.id in theirs:
                    yield Entry(view.id, view.meta.title, PushAction.THEIRS, LineState.DONE)
                else:
                    ready = prepared(self.target, self.map, view, lines.get(view.id, ()), self.site_url)
                    yield self._entry(view, ready, known.get(view.id))
        yield from self._gone(shown)

    def _entry(self, view: DatasetView, ready: Ready | Told, known: Reported | None) -> Entry:
        has = known is not None and bool(known.hash)
        action = PushAction.UPDATED if has else PushAction.CREATED
        if not isinstance(ready, Ready):
            return Entry(view.id, view.meta.title, action, LineState.REFUSED, (ready,))
        if known is not None and known.hash == ready.hash:
            return Entry(view.id, view.meta.title, PushAction.UNCHANGED, LineState.DONE)
        if known is not None and known.refused == ready.hash and not self.again:
            return self._still_refused(known)
        return Entry(view.id, view.meta.title, action, LineState.PLANNED)

    def _gone(self, shown: Collection[str]) -> Iterator[Entry]:
        for record in queries.held_records(self.work, self.target.id):
            if record.dataset_id in shown:
                continue
            if self.map.withdraw is None:
                why = told("report_cannot_withdraw")
                yield Entry(record.dataset_id, record.title, PushAction.WITHDRAWN, LineState.LEFT, (why,))
            elif record.refused == WITHDRAWAL and not self.again:
                yield self._still_refused(record)
            else:
                self.withdrawn += 1
                yield Entry(record.dataset_id, record.title, PushAction.WITHDRAWN, LineState.PLANNED)

    def _still_refused(self, record: Reported) -> Entry:
        why = told("report_still_refused", reason=record.refusal)
        return Entry(record.dataset_id, record.title, PushAction.STILL_REFUSED, LineState.DONE, (why,))


def prepared(
    target: ReportTarget, used: Map, view: DatasetView, lines: Collection[Any], site_url: str
) -> Ready | Told:
    """The record as it would be sent now; why it cannot be, where the map has no word for it."""
    try:
        coded = used.coded(facts.of(view, lines, site_url))
    except NoWord as missing:
        return told("report_no_word", missing.fact, value=missing.value)
    except Lacking as missing:
        return told("report_lacks", missing.fact)
    said = coded | options_of(target) | {"receipt": "", "key": ""}
    written = [used.written(call.body, said) for call in (used.create, used.update) if call is not None]
    return Ready(coded, sha256_json([view.release.content_hash, written]))


def options_of(target: ReportTarget) -> dict[str, Any]:
    return {f"option.{name}": value for name, value in target.options.items()}


def covered(work: Work, target: ReportTarget) -> list[str] | None:
    """Ids of the bodies whose datasets are reported; None for all."""
    if target.agency_id is None:
        return None
    top = work.session.get_one(Agency, target.agency_id)
    return [top.id, *(body.id for body in agencies.under(work, top))]


def public_now(work: Work, target: ReportTarget, dataset_id: str) -> DatasetView | None:
    """The dataset, if it is public and reported at this moment."""
    found = catalog.published(work, [dataset_id], visible=PUBLIC_FILTER)
    return next((view for view in found if _covers(target, view.agency)), None)


def _covers(target: ReportTarget, body: Agency) -> bool:
    """`covered` of one body, without asking for all."""
    return target.agency_id in (None, body.id) or (body.active and target.agency_id in body.lineage)


def came_from(work: Work, target: ReportTarget) -> set[str]:
    """Ids of the datasets that were harvested from the target, or first published there."""
    places = (HarvestSource.url, HeldRecord.page, HeldRecord.origin)
    query = select(HeldRecord.dataset_id, *places)
    query = query.join(HarvestSource, HarvestSource.id == HeldRecord.source_id)
    home = _host(target.url)
    # What only names the host somewhere is told apart here; all that is held of others never comes out of the database.
    near = query.where(or_(*(func.lower(place).contains(home, autoescape=True) for place in places)))
    return {row[0] for row in work.session.execute(near) if home in map(_host, row[1:])}


def _host(address: str) -> str:
    """Origins are kept without their scheme."""
    return urlsplit(address if "//" in address else f"//{address}").netloc.lower()


def _public(work: Work, bodies: Collection[str] | None) -> Iterator[list[DatasetView]]:
    after = ""
    while ids := catalog.published_ids(
        work, visible=PUBLIC_FILTER, after=after, limit=_AT_ONCE, agency_ids=bodies
    ):
        yield catalog.published(work, ids, visible=PUBLIC_FILTER)
        after = ids[-1]


def reason_of(dataset: Dataset) -> str:
    """Why it was withdrawn, as its readers are told."""
    return dataset.withdraw_reason or _GROUND


_GROUND = "下级平台已停止开放此数据集。The platform that reported this dataset no longer publishes it."
