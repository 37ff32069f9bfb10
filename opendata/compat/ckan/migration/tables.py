"""Rows that clients wrote into the source's datastore, with their dictionaries and keys."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from typing import IO, Any

import orjson

from opendata.compat.ckan.migration.report import Fate
from opendata.compat.ckan.migration.source import SourceFailed
from opendata.compat.ckan.migration.taking import Run
from opendata.compat.ckan.wire import ActionError
from opendata.work.unit import Work

PAGE = 20_000
"""Rows of one answer; CKAN gives at most 32,000."""
BATCH = 5_000
"""Rows of one change here."""


def take_rows(run: Run, package: Mapping[str, Any]) -> bool:
    """Takes the rows of a dataset's resources, but those of files that come over themselves: these are loaded again. Whether
    any were new."""
    fates = [
        _take(run, resource)
        for resource in package.get("resources", [])
        if resource.get("datastore_active") and not (run.with_files and resource.get("url_type") == "upload")
    ]
    return Fate.TAKEN in fates or Fate.CHANGED in fates


def dictionaries(run: Run, package: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What the source tells of the columns of files that come over themselves, by the ids of their resources: their rows are
    loaded again, these words are in no file."""
    found: dict[str, list[dict[str, Any]]] = {}
    for resource in package.get("resources", []):
        if not (run.with_files and resource.get("url_type") == "upload" and resource.get("datastore_active")):
            continue
        try:
            face = run.source.action("datastore_search", resource_id=resource["id"], limit=0)
        except SourceFailed as failure:
            name = resource.get("name") or ""
            run.report.add("dictionary", resource["id"], name, Fate.REFUSED, str(failure))
            continue
        told = [{"id": field["id"], "info": field["info"]} for field in face["fields"] if field.get("info")]
        if told:
            found[resource["id"]] = told
    return found


def _take(run: Run, resource: Mapping[str, Any]) -> Fate:
    """One look at the columns, the number of rows and the day of the last change tells whether they are the same."""
    try:
        face = run.source.action("datastore_search", resource_id=resource["id"], limit=0)
    except SourceFailed as failure:
        run.report.add("rows", resource["id"], resource.get("name") or "", Fate.REFUSED, str(failure))
        return Fate.REFUSED
    facts = {
        "fields": face["fields"],
        "total": face.get("total"),
        "changed": resource.get("last_modified") or resource.get("metadata_modified"),
        "policy": run.here.settings.publication_policy.value,  # whether they went to a draft
    }
    return run.take("rows", resource, facts, partial(_write, run, resource["id"], face["fields"]))


def _write(run: Run, resource_id: str, fields: list[Mapping[str, Any]], work: Work) -> tuple[Fate, str]:
    """Everything is fetched before the first statement: nobody waits for the source while the database is held."""
    if run.dry:
        return Fate.TAKEN, ""
    with tempfile.TemporaryFile() as spool:
        try:
            key = _key(run, resource_id)
            count = _fetch(run, resource_id, spool)
        except SourceFailed as failure:
            return Fate.REFUSED, str(failure)
        known = run.held(work, "rows", resource_id) is not None
        kept = _load(run, work, resource_id, fields, key, spool)
    told = f"{count} rows" + (f", key {', '.join(kept)}" if kept else "")
    return (Fate.CHANGED if known else Fate.TAKEN), told


def _key(run: Run, resource_id: str) -> list[str]:
    """The columns of the primary key. CKAN tells of a column's index its name alone, which columns of one key share: the first
    one that it calls unique, else the first."""
    info = run.source.action("datastore_info", id=resource_id)
    found: dict[str, list[str]] = {}
    unique = ""
    for field in info.get("fields", []):
        schema = field.get("schema") or {}
        index = schema.get("index_name")
        if index and field["id"] != "_id":
            found.setdefault(index, []).append(field["id"])
            unique = unique or (index if schema.get("uniquekey") else "")
    return found.get(unique) or next(iter(found.values()), [])


def _fetch(run: Run, resource_id: str, spool: IO[bytes]) -> int:
    """All rows into a file, one JSON object a line; how many they are."""
    count = 0
    while True:
        page = run.source.action(
            "datastore_search",
            resource_id=resource_id,
            sort="_id",
            limit=PAGE,
            offset=count,
            include_total=False,
        )["records"]
        for record in page:
            record.pop("_id", None)
            spool.write(orjson.dumps(record) + b"\n")
        count += len(page)
        if not page:
            return count


def _load(
    run: Run,
    work: Work,
    resource_id: str,
    fields: list[Mapping[str, Any]],
    key: list[str],
    spool: IO[bytes],
) -> list[str]:
    """Puts the rows in the place of those that are here; returns the key that they have now. An index of the source that was
    no key, because rows are alike in it, is none here."""
    told = [_field(field) for field in fields if field["id"] != "_id"]
    fill = partial(_fill, run, work, resource_id, told)
    if not key:
        fill([], spool)
        return []
    try:
        with work.part():
            fill(key, spool)
    except ActionError as error:
        if error.status != 409:
            raise
        fill([], spool)
        return []
    return key


def _fill(
    run: Run, work: Work, resource_id: str, fields: list[dict[str, Any]], key: list[str], spool: IO[bytes]
) -> None:
    mine = {"resource_id": resource_id, "force": True}
    _drop(run, work, mine)
    run.act(work, "datastore_create", {**mine, "fields": fields, "primary_key": key}, hold=True)
    for records in _batches(spool):
        run.act(work, "datastore_upsert", {**mine, "method": "insert", "records": records}, hold=True)


def _drop(run: Run, work: Work, mine: Mapping[str, Any]) -> None:
    try:
        run.act(work, "datastore_delete", dict(mine), hold=True)
    except ActionError as error:
        if error.status != 404:
            raise


def _batches(spool: IO[bytes]) -> Iterator[list[Any]]:
    spool.seek(0)
    batch: list[Any] = []
    for line in spool:
        batch.append(orjson.loads(line))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    """A column as it is created: CKAN calls lists `_text` where it tells of them, and `text[]` where it is told."""
    kind = str(field.get("type", "text"))
    info = {"info": field["info"]} if field.get("info") else {}
    return {"id": field["id"], "type": f"{kind[1:]}[]" if kind.startswith("_") else kind, **info}
