"""What was written at the last run, what stands there now, what the remote says now: whatever differs from the first by people's
own work stays, field by field."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opendata.catalog.profile import DatasetMeta, ResourceMeta
from opendata.harvest.running.fitting import CleanResource

DATASET_DEFAULTS: Mapping[str, Any] = DatasetMeta().model_dump(mode="json", by_alias=True)
RESOURCE_DEFAULTS: Mapping[str, Any] = ResourceMeta().model_dump(mode="json", by_alias=True)
_BY_KEY = ("extras", "city_fields")
"""Fields that are mappings: each of their keys is a field."""


@dataclass(frozen=True)
class Merged:
    changes: dict[str, Any]
    kept: list[str]
    """What people here wrote otherwise."""


def merge(
    written: Mapping[str, Any],
    current: Mapping[str, Any],
    wanted: Mapping[str, Any],
    defaults: Mapping[str, Any],
    filled_in: Collection[str] = (),
) -> Merged:
    """`filled_in`: fields that nobody wrote."""
    changes: dict[str, Any] = {}
    kept: list[str] = []
    for name in sorted({*written, *wanted}):
        before, now, new = (side.get(name, defaults.get(name)) for side in (written, current, wanted))
        if name in _BY_KEY and isinstance(now, Mapping):
            found = _merge_keys(before or {}, now, new or {})
            kept += [f"{name}.{key}" for key in found.kept]
            new = found.changes
        elif now != before and name not in filled_in:
            if now != new:
                kept.append(name)
            continue
        if new != now:
            changes[name] = new
    return Merged(changes, kept)


def _merge_keys(before: Mapping[str, Any], now: Mapping[str, Any], new: Mapping[str, Any]) -> Merged:
    """All keys as they are to be."""
    found, kept = dict(now), []
    for key in {*before, *new}:
        if now.get(key) != before.get(key):
            if now.get(key) != new.get(key):
                kept.append(key)
        elif key in new:
            found[key] = new[key]
        else:
            found.pop(key, None)
    return Merged(found, sorted(kept))


Row = dict[str, Any]
"""A resource as it was written: {id, identifier, url, fields, file}."""


def match(written: Sequence[Row], wanted: Sequence[CleanResource]) -> list[Row | None]:
    """For each wanted resource the one that it was: by the remote's identifier, by address, by title and format. So ids
    stay."""
    found: list[Row | None] = [None] * len(wanted)
    free = {row["id"]: row for row in written}
    for old, new in _WAYS:
        by_key: dict[Any, list[Row]] = {}
        for row in free.values():
            by_key.setdefault(old(row), []).append(row)
        for place, resource in enumerate(wanted):
            candidates = by_key.get(new(resource)) if found[place] is None and _tells(new(resource)) else None
            if candidates:
                found[place] = row = candidates.pop(0)
                del free[row["id"]]
    return found


def _tells(key: Any) -> bool:
    return any(key) if isinstance(key, tuple) else bool(key)


_WAYS: Iterable[tuple[Callable[[Row], Any], Callable[[CleanResource], Any]]] = (
    (lambda row: row["identifier"], lambda new: new.identifier),
    (lambda row: row["url"], lambda new: new.url),
    (
        lambda row: (row["fields"].get("name", ""), row["fields"].get("format", "").upper()),
        lambda new: (new.meta.name, new.meta.format.upper()),
    ),
)
