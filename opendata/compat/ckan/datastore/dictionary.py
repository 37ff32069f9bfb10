"""The data dictionary of a table that is loaded from a file: labels and notes of its columns.

They are words of the resource, not rows: they go out with a release, as the policy has it, and stay when a new file comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opendata.agencies.models import Agency
from opendata.catalog.models import Dataset
from opendata.compat.ckan.datasets import editable, settle
from opendata.compat.ckan.datastore.places import Writable, loaded_lines
from opendata.compat.ckan.datastore.shaping import Shape
from opendata.compat.ckan.resources import dataset_of
from opendata.compat.ckan.wire import Call
from opendata.publishing import drafts
from opendata.tables.rows import service as rows

Fields = Sequence[Mapping[str, Any]]
"""[{id, info?}]."""


def is_meant(call: Call, place: Writable, wish: Shape) -> bool:
    """Whether a `datastore_create` only tells something of columns that come from a file, as CKAN's page of the data dictionary
    does. Where a client has written rows over the file, the dictionary is that of these rows."""
    more = wish.records or wish.delete_fields or wish.primary_key is not None or wish.indexes is not None
    if more or not wish.told or place.resource.file is None:
        return False
    if any(rows.find(call.work, place.resource_id, draft=draft) for draft in (False, True)):
        return False
    found = loaded_lines(call, place.resource)
    return found is not None and {field["id"] for field in wish.told} <= {
        entry["id"] for entry in found[0].fields
    }


def write(call: Call, place: Writable, told: Fields) -> None:
    """What is told of a column takes the place of what was; columns that are not named keep theirs."""
    found = loaded_lines(call, place.resource)
    shown = {entry["id"]: entry.get("info", {}) for entry in found[0].fields} if found else {}
    fresh = {name: info for name, info in infos(told).items() if info != shown.get(name)}
    if fresh:
        _keep(
            call, place.dataset, place.agency, place.resource_id, {**place.resource.meta.dictionary, **fresh}
        )
        settle(call, place.dataset, place.agency, wanted=place.wanted, answer=False)


def bring(call: Call, resource_id: str, told: Fields) -> None:
    """The draft's resource has this dictionary afterwards; for whoever moves a whole platform."""
    dataset, agency = editable(call, dataset_of(call.work, resource_id).id)
    _keep(call, dataset, agency, resource_id, infos(told))


def infos(told: Fields) -> dict[str, dict[str, Any]]:
    """What is told of each column of which anything is, by name."""
    return {str(field["id"]): dict(info) for field in told if isinstance(info := field.get("info"), dict)}


def _keep(
    call: Call, dataset: Dataset, agency: Agency, resource_id: str, words: Mapping[str, Mapping[str, Any]]
) -> None:
    drafts.edit_resource(call.work, dataset, agency, resource_id, {"dictionary": words})
