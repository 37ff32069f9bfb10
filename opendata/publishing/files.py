"""A file that has arrived becomes a resource of the draft, or the new file of one. Its bytes are in the inbox store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opendata.agencies.models import Agency
from opendata.catalog import files, queries, views
from opendata.catalog.drafts import NewResource
from opendata.catalog.models import Dataset, File
from opendata.core.errors import invalid
from opendata.ports.storage.port import StoredObject
from opendata.publishing import drafts
from opendata.work.unit import Work


def check_stored(stored: StoredObject) -> None:
    """`Invalid("file_empty")`: a file without bytes is a mistake of its sender."""
    if stored.size == 0:
        raise invalid("file", "file_empty")


def add(
    work: Work,
    dataset: Dataset,
    agency: Agency,
    stored: StoredObject,
    filename: str,
    fields: Mapping[str, Any],
) -> tuple[str, File]:
    """A new resource with this file: its id, and the file. `fields` are those of `ResourceMeta` that were given; name and format follow
    from the file's name where they are left out."""
    check_stored(stored)
    drafts.check_editor(work, agency, dataset)
    file = files.register(work, agency, stored, filename)
    known = {"name": file.name, **_facts(file.name)}
    new = NewResource(drafts.resource_meta(work.session, {**known, **fields}), file)
    _release, (resource_id,) = drafts.add_resources(work, dataset, agency, [new])
    return resource_id, file


def replace(
    work: Work,
    dataset: Dataset,
    agency: Agency,
    resource_id: str,
    stored: StoredObject,
    filename: str,
    fields: Mapping[str, Any] | None = None,
) -> File:
    """The resource has this file in the draft; its id and its address stay."""
    check_stored(stored)
    drafts.check_editor(work, agency, dataset)
    file = files.register(work, agency, stored, filename)
    changes = {**_facts(file.name), "url": "", **_next_reading(work, dataset, resource_id), **(fields or {})}
    drafts.edit_resource(work, dataset, agency, resource_id, changes, file=file)
    return file


def _next_reading(work: Work, dataset: Dataset, resource_id: str) -> dict[str, Any]:
    """What was said of the old file holds for the new one, but for the number of its last row."""
    release = queries.release(work.session, dataset.draft_id) or queries.releases(work, dataset)[0]
    old = views.resource(work.session, release, resource_id)
    options = old.meta.options.stored() if old else {}
    return {"options": {k: v for k, v in options.items() if k != "last_row"}} if "last_row" in options else {}


def _facts(name: str) -> dict[str, str]:
    return {"format": files.format_of(name), "media_type": files.media_type(name)}
