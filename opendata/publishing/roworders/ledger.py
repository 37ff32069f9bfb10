"""The ledger of row orders: a file of all of them, kept apart from the backups. A database that is restored from before an order
learns of it from there. Lines of JSON, each with a MAC made with the site's secret over it and the line before, so a line that was
changed, left out, moved or cut off shows, and so does a file of another site. Keys are in it as salted hashes alone.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select

from opendata.accounts.models import User
from opendata.catalog.roworders.models import RowOrder, RowTombstone
from opendata.core.canonical import canonical_json
from opendata.core.errors import Invalid
from opendata.tabular.removal import keys
from opendata.work.unit import Work

FORMAT = "opendata-row-orders/1"
_PEOPLE = ("placed_by", "confirmed_by", "lifted_by")
_ORDER = (
    "id", "number", "year", "serial", "dataset_id", "kind", "ground", "reason", "document", "columns", "digests", "key_check",
    "state", "lift_reason", *_PEOPLE,
)  # fmt: skip
_ORDER_TIMES = ("placed_at", "hidden_at", "confirmed_at", "purged_at", "lifted_at")
_TOMBSTONE = ("id", "sha256", "file_id", "name", "reading", "replaced_by", "rows", "was_public")
_TOMBSTONE_TIMES = ("hidden_at", "purged_at", "lifted_at")


@dataclass(frozen=True)
class Entry:
    """An order as it stood when the ledger was written."""

    order: Mapping[str, Any]
    names: Mapping[str, str | None]
    """Of the people: an older database may not know them."""
    tombstones: Sequence[Mapping[str, Any]]


def lines(work: Work, secret: bytes) -> Iterator[bytes]:
    """A head, every order in the order of their numbers, an end that counts them."""
    seal = _Seal(secret)
    yield seal.close({"format": FORMAT, "site": keys.check(secret), "written_at": work.now.isoformat()})
    count = 0
    for order in work.session.execute(select(RowOrder).order_by(RowOrder.year, RowOrder.serial)).scalars():
        count += 1
        yield seal.close(_told(work, order))
    yield seal.close({"orders": count})


def read(written: Iterable[bytes], secret: bytes) -> list[Entry]:
    """`Invalid("row_orders_other_site")`, `Invalid("row_orders_broken")` with the line."""
    seal, found, place, ended = _Seal(secret), [], 0, False
    for place, line in enumerate(written, start=1):
        told = None if ended else _parsed(line)
        if told is None:
            raise Invalid("row_orders_broken", line=place)
        if place == 1 and told.get("format") == FORMAT and told.get("site") != keys.check(secret):
            raise Invalid("row_orders_other_site")
        if not seal.fits(told) or (place == 1) != ("format" in told):
            raise Invalid("row_orders_broken", line=place)
        ended = told.get("orders") is not None
        if "order" in told:
            found.append(_entry(told))
    if not ended:
        raise Invalid("row_orders_broken", line=place + 1)
    return found


class _Seal:
    """Closes line after line, or tells whether they were closed like this."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"row-orders", hashlib.sha256)
        self._last = ""

    def close(self, told: Mapping[str, Any]) -> bytes:
        return orjson.dumps({**told, "mac": self._next(told)}) + b"\n"

    def fits(self, told: Mapping[str, Any]) -> bool:
        mac = told.get("mac")
        body = {key: value for key, value in told.items() if key != "mac"}
        return hmac.compare_digest(self._next(body).encode(), str(mac).encode("utf-8", "replace"))

    def _next(self, body: Mapping[str, Any]) -> str:
        sealed = self._last.encode() + b"\n" + canonical_json(dict(body))
        self._last = hmac.digest(self._key, sealed, hashlib.sha256).hex()
        return self._last


def _told(work: Work, order: RowOrder) -> dict[str, Any]:
    buried = select(RowTombstone).where(RowTombstone.order_id == order.id).order_by(RowTombstone.id)
    people = {field: getattr(order, field) for field in _PEOPLE}
    return {
        "order": _fields(order, _ORDER, _ORDER_TIMES),
        "names": {field: _name(work, user_id) for field, user_id in people.items()},
        "tombstones": [
            _fields(stone, _TOMBSTONE, _TOMBSTONE_TIMES) for stone in work.session.execute(buried).scalars()
        ],
    }


def _fields(row: object, plain: Sequence[str], times: Sequence[str]) -> dict[str, Any]:
    moments = {field: getattr(row, field) for field in times}
    written = {field: at.isoformat() if at else None for field, at in moments.items()}
    return {field: getattr(row, field) for field in plain} | written


def _name(work: Work, user_id: str | None) -> str | None:
    user = work.session.get(User, user_id) if user_id else None
    return user.name if user else user_id


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None


def _entry(told: Mapping[str, Any]) -> Entry:
    """Of a line that its MAC vouches for."""
    stones = [_timed(stone, _TOMBSTONE_TIMES) for stone in told["tombstones"]]
    return Entry(_timed(told["order"], _ORDER_TIMES), told["names"], stones)


def _timed(fields: Mapping[str, Any], times: Sequence[str]) -> dict[str, Any]:
    moments = {field: datetime.fromisoformat(fields[field]) for field in times if fields[field]}
    return dict(fields) | moments
