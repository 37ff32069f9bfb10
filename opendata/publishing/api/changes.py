"""What an edit changes: the difference of two contents, field by field. It is what a dry run shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opendata.catalog.content import document
from opendata.catalog.views import DatasetView

Difference = dict[str, Any]
"""{field, old, new}; None where there is nothing."""


def differences(before: DatasetView | None, after: DatasetView) -> list[Difference]:
    """Fields of the metadata by name; of resources as `resources.<id>.<field>`."""
    old = _flat(document(before)) if before else {}
    new = _flat(document(after))
    return [
        {"field": field, "old": old.get(field), "new": new.get(field)}
        for field in [*old, *(f for f in new if f not in old)]
        if old.get(field) != new.get(field)
    ]


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_places(content))


def _places(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "name", content["name"]
    yield from content["metadata"].items()
    for resource in content["resources"]:
        place = f"resources.{resource['id']}"
        for field, value in resource["metadata"].items():
            yield f"{place}.{field}", value
        if "file" in resource:
            yield f"{place}.file", resource["file"]
