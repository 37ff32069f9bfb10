"""The verbs of a row order: placed by one person, confirmed by another, or lifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select, text, update

from opendata.accounts.notices import service as notices
from opendata.accounts.notices.models import Occasion
from opendata.agencies import queries as agencies
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer, may_review
from opendata.catalog import queries as catalog
from opendata.catalog.models import Dataset, File
from opendata.catalog.roworders import queries
from opendata.catalog.roworders.models import FINAL, Ground, OrderKind, OrderState, RowOrder, RowTombstone
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, FieldError, Forbidden, Gathered, Unavailable, invalid
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.publishing.roworders.jobs import JOB
from opendata.publishing.roworders.ledger import Entry
from opendata.publishing.roworders.looking import Source, sources
from opendata.tables.rows import erasing
from opendata.tables.rows.models import RowTable
from opendata.tabular.removal import keys as hashing
from opendata.tabular.shape.naming import plain
from opendata.validation.models import FileProfile
from opendata.work.actor import Actor, Role
from opendata.work.unit import Work

MOST_KEYS = 10_000
MOST_COLUMNS = 5
Key = str | Sequence[str] | Mapping[str, str]


@dataclass(frozen=True)
class Wanted:
    """What an order is to hide."""

    kind: OrderKind
    columns: Sequence[str] = ()
    """Of an erasure: those that the keys are values of, empty for the schema's primary key; of an expiry: the one of the day."""
    keys: Sequence[Key] = ()


@dataclass(frozen=True)
class Cause:
    """Why."""

    ground: Ground
    reason: str
    document: str


class Restored(StrEnum):
    """What became of an order of the ledger."""

    RESTORED = "restored"
    KNOWN = "known"
    BEHIND = "behind"
    """Known, and not confirmed here, as it was when the ledger was written: its second person has to do so again."""
    NO_DATASET = "no_dataset"


def may_order(actor: Actor, agency: Agency) -> bool:
    """A secrecy reviewer or an administrator of the body, of its own or from above."""
    return may_review(actor, agency, Role.SECRECY_REVIEWER) or may_administer(actor, agency)


def check_may(work: Work, agency: Agency) -> None:
    if not may_order(work.actor, agency) or work.actor.id is None:
        raise Forbidden("row_order_role", agency=agency.name)


def read_keys(work: Work, dataset: Dataset, wanted: Wanted) -> tuple[list[str], list[list[str]]]:
    """The columns, and the values of each key in their order. `Invalid` naming everything that is wrong."""
    wrong = Gathered()
    read = sources(work, dataset)
    written = erasing.tables_of(work, dataset.id)
    columns = list(dict.fromkeys(wanted.columns)) or (
        _primary_key(read, written) if wanted.kind is OrderKind.ERASE else []
    )
    if not columns:
        raise invalid("columns", "row_order_no_columns")
    most = 1 if wanted.kind is OrderKind.EXPIRE else MOST_COLUMNS
    if len(columns) > most:
        raise invalid("columns", "too_many", highest=most)
    labels = [label for source in read for label in _labels(work, source)] + _written(written)
    _check_known(labels, columns, wrong)
    if wanted.kind is OrderKind.EXPIRE:
        if wanted.keys:
            wrong.add([FieldError("keys", "row_order_keys_of_expiry")])
        wrong.raise_if_any()
        return columns, []
    values = _values(columns, wanted.keys, wrong)
    wrong.raise_if_any()
    return columns, values


def place(
    work: Work, secret: bytes, dataset: Dataset, agency: Agency, wanted: Wanted, cause: Cause
) -> RowOrder:
    """From now on no door gives bytes or rows of the dataset until a job has taken the rows out of them.

    Errors: `Forbidden("row_order_role")`, `Invalid`; `Unavailable("site_secret_differs")`."""
    check_may(work, agency)
    columns, values = read_keys(work, dataset, wanted)
    salt = hashing.subkey(secret, dataset.id)
    year, serial = _next(work)
    order = RowOrder(
        id=new_id(),
        number=_number(year, serial),
        year=year,
        serial=serial,
        dataset_id=dataset.id,
        agency_id=agency.id,
        kind=wanted.kind.value,
        ground=cause.ground.value,
        reason=clean_text(cause.reason)[:2000],
        document=clean_text(cause.document)[:200],
        columns=columns,
        digests=sorted({hashing.digest(salt, columns, key) for key in values}),
        keys=values,
        key_check=_checked(work, secret, dataset),
        placed_by=work.actor.id,
        placed_at=work.now,
    )
    work.session.add(order)
    work.session.flush()
    _hold(work, dataset)
    work.record(
        "row_order.placed", "dataset", dataset.id, number=order.number, kind=order.kind, ground=order.ground,
        document=order.document, columns=columns, keys=len(order.digests),
    )  # fmt: skip
    work.touch(dataset)
    _tell(work, order, dataset, agency)
    work.enqueue(JOB, {"dataset_id": dataset.id})
    return order


def confirm(work: Work, order: RowOrder, agency: Agency) -> None:
    """A second person has the bytes purged. `Conflict("row_order_state")`, `Forbidden("row_order_second_person")`."""
    check_may(work, agency)
    work.session.refresh(order, with_for_update=True)
    if order.state != OrderState.HIDDEN.value:
        raise Conflict("row_order_state", state=order.state)
    if work.actor.id == order.placed_by:
        raise Forbidden("row_order_second_person")
    order.state = OrderState.CONFIRMED.value
    order.confirmed_by, order.confirmed_at = work.actor.id, work.now
    work.record("row_order.confirmed", "dataset", order.dataset_id, number=order.number)
    notices.take_back(work, _path(order))
    work.enqueue(JOB, {"dataset_id": order.dataset_id})


def lift(work: Work, order: RowOrder, agency: Agency, reason: str) -> None:
    """Not in force any more. What was hidden only comes back; what was purged may be delivered again."""
    check_may(work, agency)
    work.session.refresh(order, with_for_update=True)
    if order.state in (OrderState.LIFTED.value, OrderState.CONFIRMED.value):
        raise Conflict("row_order_state", state=order.state)
    if not reason.strip():
        raise invalid("reason", "missing")
    purged = order.state == OrderState.PURGED.value
    order.state, order.keys = OrderState.LIFTED.value, []
    order.lifted_by, order.lifted_at = work.actor.id, work.now
    order.lift_reason = clean_text(reason)[:2000]
    work.record("row_order.lifted", "dataset", order.dataset_id, number=order.number, after_purge=purged)
    notices.take_back(work, _path(order))
    work.touch(work.session.get_one(Dataset, order.dataset_id))
    work.enqueue(JOB, {"dataset_id": order.dataset_id})


def restore(work: Work, secret: bytes, entry: Entry) -> Restored:
    """The operator's, after a database was restored from before the order. It is in force at once, begins as one that was just
    placed, and goes on by itself to where two people had taken it. One that was lifted is noted, and hides nothing.

    Errors: `Forbidden("row_order_role")` for anybody else, `Unavailable("site_secret_differs")`."""
    told = entry.order
    if not work.actor.system:
        raise Forbidden("row_order_role", agency=told["dataset_id"])
    if (known := work.session.get(RowOrder, told["id"])) is not None:
        waiting = known.confirmed_by is None and known.lifted_by is None
        return Restored.BEHIND if waiting and told["state"] in FINAL else Restored.KNOWN
    dataset = work.session.get(Dataset, told["dataset_id"])
    if dataset is None:
        return Restored.NO_DATASET
    order = _as_it_stood(work, dataset, entry)
    if told["state"] == OrderState.LIFTED.value:
        order.state, order.hidden_at, order.purged_at = told["state"], told["hidden_at"], told["purged_at"]
    else:
        _checked(work, secret, dataset)  # the new one too
        _bury(work, order, entry)
        _hold(work, dataset)
        work.touch(dataset)
        work.enqueue(JOB, {"dataset_id": dataset.id})
    work.record(
        "row_order.restored", "dataset", dataset.id, number=order.number, was=told["number"], state=told["state"],
        document=order.document, columns=order.columns, keys=len(order.digests), **entry.names,
        **{field: str(told[field]) for field in ("placed_at", "hidden_at", "confirmed_at", "purged_at") if told[field]},
    )  # fmt: skip
    work.session.flush()
    return Restored.RESTORED


def _as_it_stood(work: Work, dataset: Dataset, entry: Entry) -> RowOrder:
    """Its keys were never written down. Another order may have got its number since the restore: then it gets a new one."""
    kept = {
        field: value
        for field, value in entry.order.items()
        if field not in ("state", "hidden_at", "purged_at")
    }
    taken = select(RowOrder.id).where(RowOrder.number == kept["number"])
    if work.session.execute(taken).first() is not None:
        year, serial = _next(work)
        kept |= {"year": year, "serial": serial, "number": _number(year, serial)}
    order = RowOrder(**kept, agency_id=dataset.agency_id, keys=[])
    work.session.add(order)
    work.session.flush()
    return order


def _bury(work: Work, order: RowOrder, entry: Entry) -> None:
    """Of bytes that were gone: whatever a restore of the files brings back of them is found by these. Others are made anew."""
    for stone in entry.tombstones:
        if stone["purged_at"] and not stone["lifted_at"]:
            work.session.add(RowTombstone(**stone, order_id=order.id, dataset_id=order.dataset_id))


def _number(year: int, serial: int) -> str:
    return f"CX-{year}-{serial:03d}"


def _path(order: RowOrder) -> str:
    return f"/console/row-orders/{order.number}"


def _next(work: Work) -> tuple[int, int]:
    """The next number of the year; who places one at the same time waits."""
    if work.session.get_bind().dialect.name == "postgresql":
        work.session.execute(text("LOCK TABLE row_order IN SHARE ROW EXCLUSIVE MODE"))
    year = day_of(work.now).year
    return year, queries.last_serial(work.session, year) + 1


def _checked(work: Work, secret: bytes, dataset: Dataset) -> str:
    check = hashing.check(secret)
    if any(order.key_check != check for order in queries.in_force(work.session, dataset.id)):
        raise Unavailable("site_secret_differs", retry_after=60)
    return check


def _hold(work: Work, dataset: Dataset) -> None:
    ids = [file.id for file in queries.files_of(work.session, dataset.id)]
    work.session.execute(update(File).where(File.id.in_(ids)).values(held=True))
    erasing.shut(work, dataset.id)


def _tell(work: Work, order: RowOrder, dataset: Dataset, agency: Agency) -> None:
    """Whoever could be the second person."""
    release = catalog.last_release(work, dataset)
    people = {
        user.id
        for body in agencies.by_ids(work.session, agency.lineage).values()
        for user, roles in agencies.members(work, body)
        if {Role.SECRECY_REVIEWER, Role.ADMIN} & set(roles)
    }
    title = str(release.meta.get("title", ""))
    told = {"about": order.id, "path": _path(order), "title": title, "number": order.number}
    notices.tell(work, people, Occasion.ROWS_TO_CONFIRM, **told)


def _primary_key(read: Sequence[Source], written: Sequence[RowTable]) -> list[str]:
    """Of a table that clients write, else of the newest schema that names one."""
    if key := next((table.primary_key for table in written if table.primary_key), None):
        return [str(column) for column in key]
    for source in reversed(read):
        named = source.schema.get("primaryKey")
        if named:
            return [named] if isinstance(named, str) else [str(column) for column in named]
    return []


def _written(tables: Sequence[RowTable]) -> list[str]:
    """What the columns of tables that clients write are called."""
    fields = [field for table in tables for field in table.fields]
    texts = [text for field in fields for text in (field["id"], (field.get("info") or {}).get("label"))]
    return [str(text) for text in texts if text]


def _check_known(labels: Sequence[str], columns: Sequence[str], wrong: Gathered) -> None:
    """At least one version of a table has each of the columns."""
    known: dict[str, str] = {}
    for label in labels:
        known.setdefault(plain(label), label)
    for place, column in enumerate(columns):
        if plain(column) not in known:
            told = {"column": column[:200], "known": ", ".join(list(known.values())[:50])}
            wrong.add([FieldError(f"columns.{place}", "unknown_column", told)])


def _labels(work: Work, source: Source) -> list[str]:
    """Whatever a column of the file may be called."""
    schemas = [source.schema]
    labels: list[str] = []
    for sha256 in {source.sha256, source.bytes}:
        query = FileProfile.__table__.select().where(FileProfile.sha256 == sha256)
        for row in work.session.execute(query):
            profile = row.profile or {}
            schemas.append(profile.get("schema") or {})
            labels += profile.get("layout", {}).get("labels", [])
    for schema in schemas:
        for field in schema.get("fields", []):
            labels += [str(field[key]) for key in ("name", "title") if field.get(key)]
    return labels


def _values(columns: Sequence[str], keys: Sequence[Key], wrong: Gathered) -> list[list[str]]:
    if not keys:
        wrong.add([FieldError("keys", "missing")])
    if len(keys) > MOST_KEYS:
        wrong.add([FieldError("keys", "too_many", {"highest": MOST_KEYS})])
    found = []
    for place, key in enumerate(keys[:MOST_KEYS]):
        values = _one_key(columns, key)
        if values is None or not any(value.strip() for value in values):
            told = {"columns": ", ".join(columns)}
            wrong.add([FieldError(f"keys.{place}", "row_order_key_wrong", told)])
        else:
            found.append(values)
    return found


def _one_key(columns: Sequence[str], key: Key) -> list[str] | None:
    if isinstance(key, str):
        return [key] if len(columns) == 1 else None
    if isinstance(key, Mapping):
        return [key[column] for column in columns] if set(key) == set(columns) else None
    return list(key) if len(key) == len(columns) else None
