"""Actions of CKAN 2.12 that this platform refuses to everybody, each with its reason, so that a client is told why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opendata.compat.ckan.packages import find
from opendata.compat.ckan.wire import Call, denied, not_found, require, text_of
from opendata.core.errors import NotFound

_FILES = (
    "files belong to resources of datasets, with which they are reviewed: use resource_create with `upload`"
)
_RELATIONS = "what a dataset is related to is a part of its metadata, which is reviewed: use the extra `related_resource`"
_CODE = "nobody's code runs in the database: rows are checked against their resource's table schema"
_READING: Mapping[str, str] = {"file_show": _FILES, "file_owner_scan": _FILES}
_CHANGING: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "file_create", "file_register", "file_rename", "file_delete", "file_pin", "file_unpin",
            "file_ownership_transfer",
        ),
        _FILES,
    ),
    **dict.fromkeys(
        ("package_relationship_create", "package_relationship_update", "package_relationship_delete"), _RELATIONS
    ),
    **dict.fromkeys(
        ("datastore_function_create", "datastore_function_delete", "datastore_run_triggers"), _CODE
    ),
}  # fmt: skip


def package_relationships_list(call: Call) -> list[Any]:
    """Relations of a dataset in CKAN's old table: there are none. `id`, `id2`, `rel`."""
    for name, place in (("id", "First package named in request"), ("id2", "Second package named in address")):
        key = require(call.args, "id") if name == "id" else text_of(call.args, name)
        try:
            _ = find(call.work, key) if key else None
        except NotFound:
            raise not_found(f"{place} was not found.") from None
    wanted = text_of(call.args, "rel")
    if wanted and wanted != "relationships":
        raise not_found("Relationship was not found.")
    return []


def _refusing(name: str, reason: str) -> Callable[[Call], Any]:
    def action(call: Call) -> None:
        raise denied(reason)

    action.__name__ = name
    action.__doc__ = f"Refused: {reason}."
    return action


READING = (package_relationships_list, *(_refusing(*entry) for entry in _READING.items()))
CHANGING = tuple(_refusing(*entry) for entry in _CHANGING.items())
