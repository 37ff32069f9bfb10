"""Makes the files of a dataset fit its orders. Whatever is asked (hide, purge, lift, a day that came, a restore), this one way
leads there, and it can be gone again from any point.

Of each file there are the bytes that doors give, and, while an order waits for its second person, the bytes before in the
inbox store (`base`). base = origin without the rows of confirmed orders; shown = base without those of all orders.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from opendata.catalog.files import copy_object, format_of, media_type
from opendata.catalog.models import Dataset, File
from opendata.catalog.roworders import queries
from opendata.catalog.roworders.models import OrderState, RowOrder, RowTombstone, RowTreatment
from opendata.core.failpoints import reach
from opendata.core.ids import new_id
from opendata.ports.storage.port import ObjectMissing
from opendata.publishing.jobs import Journey
from opendata.publishing.roworders import effects, purging
from opendata.publishing.roworders.looking import Outcome, Plan, Source, look, plan_of, source_of
from opendata.tables.rows import erasing
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work

SCRUBBED = ("file_profile", "file_report", "finding", "row_order", "row_change", "prepared")
"""Tables that held cells, or keys."""
ATTEMPTS = 20
"""Somebody else may change a file, or place an order, while it is looked at: then once more."""


@dataclass(frozen=True)
class Shape:
    """Bytes with their name and way of reading."""

    sha256: str
    size: int
    name: str
    media_type: str
    reading: Mapping[str, Any]

    def origin(self, without: Iterable[str]) -> dict[str, Any]:
        """How these bytes are read again, when rows are taken out of them, and which orders have taken theirs for good."""
        about = {"name": self.name, "media_type": self.media_type, "size": self.size}
        return {**about, "reading": dict(self.reading), "without": sorted(without)}


@dataclass(frozen=True)
class Made:
    """What comes out of a file."""

    shown: Shape | None
    """None: it stays as it is, and shut."""
    base: Shape | None
    outcome: Outcome


def treat(journey: Journey, dataset_id: str) -> None:
    """The rows that clients wrote, all files of the dataset, then what is left to purge, then the states of its orders."""
    with journey.place.reading(SYSTEM) as work:
        known = frozenset(plan_of(work, journey.secret, dataset_id).ids)
        written = [table.id for table in erasing.tables_of(work, dataset_id)] if known else []
    for table_id in written:
        erasing.erase(journey.place, journey.rows, table_id)
        reach("rows.table_erased")
    for file_id in list(_due(journey, dataset_id)):
        treat_file(journey, dataset_id, file_id)
        reach("rows.file_treated")
    purging.purge(journey, dataset_id)
    reach("rows.purged")
    again = _settle(journey, dataset_id, known)
    journey.place.scrub(SCRUBBED)
    if again:
        treat(journey, dataset_id)


def treat_file(journey: Journey, dataset_id: str, file_id: str) -> bool:
    """Whether its bytes changed."""
    for _ in range(ATTEMPTS):
        with journey.place.reading(SYSTEM) as work:
            plan = plan_of(work, journey.secret, dataset_id)
            file = work.session.get_one(File, file_id)
            source = source_of(work, file)
            if not _is_due(work, file, plan) and not file.held:
                return False
        made = _make(journey, source, plan)
        _copy_out(journey, source, made)
        if made.shown is None or made.shown.sha256 != source.sha256:
            purging.forget_prepared(journey, {source.sha256, source.bytes})
        reach("rows.made")
        if (changed := _write(journey, plan, source, made)) is not None:
            return changed
    raise RuntimeError("a file changes faster than its rows can be removed")


def _due(journey: Journey, dataset_id: str) -> Iterator[str]:
    with journey.place.reading(SYSTEM) as work:
        plan = plan_of(work, journey.secret, dataset_id)
        for file in queries.files_of(work.session, dataset_id):
            if file.held or _is_due(work, file, plan):
                yield file.id


def is_due(work: Work, secret: bytes, dataset_id: str, file_id: str) -> bool:
    """Whether an order has not been applied to the file yet."""
    if not queries.in_force(work.session, dataset_id):
        return False
    return _is_due(work, work.session.get_one(File, file_id), plan_of(work, secret, dataset_id))


def _is_due(work: Work, file: File, plan: Plan) -> bool:
    treated = work.session.get(RowTreatment, file.id)
    if treated is None:
        return bool(plan.orders)
    if treated.plan != plan.hash(file.sha256, file.base_sha256):
        return True
    return treated.next_on is not None and treated.next_on < plan.today


def _make(journey: Journey, source: Source, plan: Plan) -> Made:
    before = Shape(source.bytes, source.size, source.name, source.media_type, source.reading)
    outcome = look(journey, source, plan, plan.orders) if plan.orders else Outcome()
    if outcome.blocks:
        return Made(None, None, outcome)
    if outcome.stored is None:
        return Made(before, None, outcome)
    shown = _shape(source, outcome)
    pending = [order_id for order_id in outcome.counts if order_id not in plan.final]
    if not pending:
        return Made(shown, None, outcome)
    final = [order for order in plan.orders if order["id"] in plan.final]
    kept = look(journey, source, plan, final) if final else Outcome()
    return Made(shown, _shape(source, kept) if kept.stored else before, outcome)


def _shape(source: Source, outcome: Outcome) -> Shape:
    if outcome.stored is None:
        raise ValueError("no new bytes")
    reading = dict(source.reading)
    if outcome.options is not None:
        reading["options"] = dict(outcome.options)
    name, kind = source.name, source.media_type
    if outcome.suffix:
        stem, dot, _ = name.rpartition(".")
        name = f"{stem if dot else name}.{outcome.suffix}"
        kind = media_type(name)
        reading |= {"format": format_of(name), "media_type": kind}
    return Shape(outcome.stored.sha256, outcome.stored.size, name, kind, reading)


def _copy_out(journey: Journey, source: Source, made: Made) -> None:
    """Objects before rows: what was public stays public in its new shape, and what waits for the second person waits inside."""
    if made.shown is None:
        return
    if made.base is not None and made.base.sha256 == source.bytes:
        with suppress(ObjectMissing):
            copy_object(journey.stores.public, journey.stores.inbox, source.bytes)
    if _is_stored(journey, source.sha256) or _is_stored(journey, source.bytes):
        copy_object(journey.stores.holder(made.shown.sha256), journey.stores.public, made.shown.sha256)


def _is_stored(journey: Journey, sha256: str) -> bool:
    with suppress(ObjectMissing):
        journey.stores.public.stat(sha256)
        return True
    return False


def _write(journey: Journey, plan: Plan, source: Source, made: Made) -> bool | None:
    """Whether the file has other bytes now; None if somebody was quicker: look again."""
    was_public = _is_stored(journey, source.sha256)
    with journey.place.writing(SYSTEM) as work:
        query = select(File).where(File.id == source.file_id).with_for_update()
        file = work.session.execute(query).scalar_one()
        now = plan_of(work, journey.secret, plan.dataset_id)
        if (file.sha256, file.base_sha256) != (source.sha256, source.base) or now != plan:
            return None
        changed = made.shown is not None and file.sha256 != made.shown.sha256
        before = {source.sha256: (file.name, file.reading)}
        if source.base:
            before[source.base] = (source.name, dict(source.reading))
        _set(file, made)
        _note(work, plan, file, made)
        work.session.flush()
        for sha256 in before if made.shown else ():
            if sha256 != file.sha256:
                public = was_public and sha256 == source.sha256
                _bury(work, plan, made, file, sha256, before[sha256], was_public=public)
        _wake(work, file)
        if changed:
            effects.follow(work, plan.dataset_id, file, source.sha256, made.outcome.counts)
        work.session.flush()
        reach("rows.written")
    reach("rows.committed")
    return changed


def _set(file: File, made: Made) -> None:
    file.held = made.outcome.blocks
    if (shown := made.shown) is None:
        return
    file.sha256, file.size, file.name = shown.sha256, shown.size, shown.name
    file.media_type, file.reading = shown.media_type, dict(shown.reading)
    file.base_sha256 = made.base.sha256 if made.base else None


def _note(work: Work, plan: Plan, file: File, made: Made) -> None:
    """Counts of rows that are purged stay, and grow by what expires later: nobody can count them again."""
    treated = work.session.get(RowTreatment, file.id)
    if treated is None:
        treated = RowTreatment(file_id=file.id, counts={}, origin={})
        work.session.add(treated)
    gone = {order: treated.counts.get(order, 0) for order in treated.origin.get("without", [])}
    if (shape := made.base or made.shown) is not None:
        counts = {order: made.outcome.counts.get(order, 0) + gone.get(order, 0) for order in plan.ids}
        treated.counts = {order: rows for order, rows in counts.items() if rows}
        treated.origin = shape.origin(plan.final)
    treated.plan = plan.hash(file.sha256, file.base_sha256)
    treated.next_on = made.outcome.next_on
    treated.trouble = dict(made.outcome.trouble)
    treated.treated_at = work.now


def _bury(
    work: Work,
    plan: Plan,
    made: Made,
    file: File,
    sha256: str,
    read: tuple[str, Mapping[str, Any]],
    *,
    was_public: bool,
) -> None:
    """A tombstone for bytes that no door gives any more, unless they have one."""
    query = select(RowTombstone.id).where(
        RowTombstone.sha256 == sha256,
        RowTombstone.file_id == file.id,
        RowTombstone.purged_at.is_(None),
        RowTombstone.lifted_at.is_(None),
    )
    if work.session.execute(query.limit(1)).first() is not None:
        return
    counts = made.outcome.counts
    order_id = next((str(o["id"]) for o in reversed(plan.orders) if o["id"] in counts), None)
    if (
        order_id is None
    ):  # an order was lifted: the bytes without its rows are in nobody's way, and hold no secret
        order_id = _last_lifted(work, plan.dataset_id)
    work.session.add(
        RowTombstone(
            id=new_id(),
            sha256=sha256,
            dataset_id=plan.dataset_id,
            file_id=file.id,
            order_id=order_id,
            name=read[0],
            reading=dict(read[1]),
            replaced_by=file.sha256,
            rows=sum(counts.values()),
            was_public=was_public,
            hidden_at=work.now,
        )
    )
    work.session.flush()


def _last_lifted(work: Work, dataset_id: str) -> str:
    query = select(RowOrder.id).where(RowOrder.dataset_id == dataset_id, RowOrder.lifted_at.is_not(None))
    return work.session.execute(query.order_by(RowOrder.lifted_at.desc()).limit(1)).scalar_one()


def _wake(work: Work, file: File) -> None:
    """Bytes that are shown again have no tombstone."""
    query = select(RowTombstone).where(
        RowTombstone.sha256 == file.sha256,
        RowTombstone.file_id == file.id,
        RowTombstone.purged_at.is_(None),
        RowTombstone.lifted_at.is_(None),
    )
    for tombstone in work.session.execute(query).scalars():
        tombstone.lifted_at = work.now


def _settle(journey: Journey, dataset_id: str, known: frozenset[str]) -> bool:
    """Orders whose work is done for all files, and that the tables were searched for, go on. Whether one has more to do."""
    with journey.place.writing(SYSTEM) as work:
        plan = plan_of(work, journey.secret, dataset_id)
        files = queries.files_of(work.session, dataset_id)
        if any(_is_due(work, file, plan) for file in files):
            return True  # written down meanwhile, from rows that a client had sent
        if any(file.held for file in files):
            return False
        left = {
            t.order_id
            for t in queries.tombstones(work.session, dataset_id)
            if not t.purged_at and not t.lifted_at
        }
        orders = [order for order in queries.in_force(work.session, dataset_id) if order.id in known]
        again = [_go_on(work, order, left) for order in orders]
        work.session.flush()
        reach("rows.settled")
        return any(again)


def _go_on(work: Work, order: RowOrder, left: Collection[str]) -> bool:
    """Whether it has more to do: an order that was restored had been confirmed by its second person before."""
    if order.state == OrderState.PLACED.value:
        order.state, order.hidden_at = OrderState.HIDDEN.value, work.now
        work.record(
            "row_order.hidden", "dataset", order.dataset_id, number=order.number, **_rows(work, order)
        )
        work.touch(work.session.get_one(Dataset, order.dataset_id))
        if order.confirmed_by is not None:
            work.session.flush()
            order.state = OrderState.CONFIRMED.value
            return True
    elif order.state == OrderState.CONFIRMED.value and order.id not in left:
        order.state, order.purged_at, order.keys = OrderState.PURGED.value, work.now, []
        work.record(
            "row_order.purged", "dataset", order.dataset_id, number=order.number, **_rows(work, order)
        )
    return False


def _rows(work: Work, order: RowOrder) -> dict[str, int]:
    files = queries.files_of(work.session, order.dataset_id)
    treated = queries.treatments(work.session, [file.id for file in files]).values()
    with_rows = [t.counts[order.id] for t in treated if t.counts.get(order.id)]
    return {"files": len(with_rows), "rows": sum(with_rows)}
