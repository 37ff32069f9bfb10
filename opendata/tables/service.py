"""Rows of published tables: loaded after publication, read by page or by query, dropped on withdrawal."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from opendata.catalog import queries, views
from opendata.catalog.files import Stores
from opendata.catalog.library import queries as library
from opendata.catalog.models import Dataset, DatasetState
from opendata.catalog.profile import ResourceMeta
from opendata.catalog.roworders import queries as roworders
from opendata.catalog.views import FileView, ResourceView
from opendata.core.canonical import sha256_json
from opendata.core.errors import NotFound, Unavailable
from opendata.core.failpoints import reach
from opendata.ports.sandbox.port import LimitExceeded, Limits, Sandbox, TaskFailed
from opendata.ports.storage.port import ObjectMissing
from opendata.ports.table_store.port import Rows, Select, TableInfo, TableMissing, TableStore
from opendata.tables.models import Table, TableState
from opendata.tables.rows import queries as row_queries
from opendata.tables.rows.types import read_type
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace


@dataclass(frozen=True)
class Loader:
    """What it takes to load a table."""

    place: Workplace
    stores: Stores
    sandbox: Sandbox
    tables: TableStore
    scratch: Path
    inferred: Callable[[Session, FileView, ResourceMeta], dict[str, Any] | None]
    """The schema that was inferred from a file when it was judged; None if nobody has read it in this way."""


def load(loader: Loader, resource_id: str, file_id: str) -> None:
    """Makes the file's rows the resource's table, if that file is still the published one. Idempotent: a table made of
    the same bytes in the same way stays.

    A file that gives no rows leaves a `Table` row that says why.
    """
    reach("load.taken")
    current = _published(loader, resource_id)
    if current is None or current.file is None or current.file.id != file_id:
        return
    with loader.place.writing(SYSTEM) as work:
        if _is_loaded(loader, work, current, current.file):
            return
        _save(work, resource_id, file_id, TableState.LOADING)
    with loader.place.reading(SYSTEM) as work:
        schema = table_schema(work.session, current.meta) or loader.inferred(
            work.session, current.file, current.meta
        )
    folder = Path(tempfile.mkdtemp(prefix="load-", dir=loader.scratch))
    try:
        answer = _convert(loader, current, current.file, schema, folder)
        reach("load.converted")
        info = loader.tables.replace(resource_id, folder / "table.parquet")
        reach("load.replaced")
        _finish(loader, current, answer, info)
        reach("load.committed")
        _check_kept(loader, resource_id, info)
        _forget_older(loader, current)
    except ObjectMissing:
        if _is_read_alike(loader, current):
            raise Unavailable("file_unavailable", retry_after=60) from None
    except TaskFailed as failure:
        _give_up(loader, current, failure.code, failure.params)
    except LimitExceeded as failure:
        _give_up(loader, current, "file_too_heavy", {"limit": failure.limit})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find(session: Session, resource_id: str) -> Table | None:
    return session.get(Table, resource_id)


def ready(session: Session, resource_id: str) -> Table:
    """The table, if it has rows now. `NotFound("no_rows")` with the reason, `Unavailable("table_loading")`."""
    table = session.get(Table, resource_id)
    if table is None:
        raise NotFound("no_rows", reason="not_a_table")
    if table.state == TableState.LOADING.value:
        raise Unavailable("table_loading", retry_after=2)
    if table.state != TableState.READY.value:
        raise NotFound("no_rows", reason=table.reason.get("code", "unknown"))
    return table


def read(store: TableStore, table: Table, select: Select) -> Rows:
    """Rows of a ready table: a plain page by position, anything else by query."""
    plain = not (select.where or select.search or select.order or select.distinct)
    try:
        if plain:
            return store.page(
                table.resource_id,
                offset=select.offset,
                limit=select.limit,
                columns=select.columns,
                version=table.version,
            )
        return store.select(table.resource_id, select, version=table.version)
    except TableMissing:
        raise Unavailable("tables_unavailable") from None


def described(table: Table, meta: ResourceMeta) -> list[dict[str, Any]]:
    """[{name, type, title?, description?}]: the columns with the words of their schema, or of the resource's dictionary."""
    found = []
    for column in table.columns:
        said = meta.dictionary.get(column["name"], {})
        words = {"title": said.get("label"), "description": said.get("notes")}
        own = {key: str(text) for key, text in words.items() if text}
        found.append({key: text for key, text in column.items() if key != "ckan"} | own)
    return found


def drop(loader: Loader, dataset_id: str) -> None:
    """Removes the tables of a dataset that is not public any more. Idempotent. If it became public again meanwhile, its
    tables are loaded again: they may have been removed after they were made."""
    reach("drop.taken")
    with loader.place.reading(SYSTEM) as work:
        dataset = work.session.get(Dataset, dataset_id)
        if dataset is None or dataset.published_id is not None:
            return
        ids = [
            resource.id
            for release in queries.releases(work, dataset)
            for resource in views.one(work.session, dataset, release).resources
        ]
        purged = dataset.state == DatasetState.PURGED.value
        written = set() if purged else row_queries.based_on(work, ids)
    for resource_id in dict.fromkeys(ids):
        if resource_id not in written:  # rows that clients wrote are nowhere else
            loader.tables.drop(resource_id)
    reach("drop.removed")
    with loader.place.writing(SYSTEM) as work:
        if purged:
            row_queries.remove(work, ids)
        for resource_id in dict.fromkeys(ids):
            if resource_id in written:
                continue
            if table := work.session.get(Table, resource_id):
                work.session.delete(table)
            now = views.published_resource(work.session, resource_id)
            if now is not None and now.file is not None:
                work.enqueue("tables.load", {"resource_id": resource_id, "file_id": now.file.id})
        work.session.flush()
        reach("drop.written")
    reach("drop.committed")


def table_schema(session: Session, meta: ResourceMeta) -> dict[str, Any] | None:
    """The schema by which rows are typed: the resource's own or the ready one it names; None: infer it."""
    if meta.table_schema is not None:
        return meta.table_schema
    named = library.find(session, meta.schema_name) if meta.schema_name else None
    return dict(named) if named else None


def _published(loader: Loader, resource_id: str) -> ResourceView | None:
    with loader.place.reading(SYSTEM) as work:
        row = views.published_resource(work.session, resource_id)
    return row


def _convert(
    loader: Loader, resource: ResourceView, file: FileView, schema: dict[str, Any] | None, folder: Path
) -> dict[str, Any]:
    args = {"name": file.name, "options": resource.meta.options.stored()}
    limits = Limits.for_bytes(file.size)
    with loader.stores.local_copy(file.sha256) as path:
        if schema is None:
            profile = loader.sandbox.run(
                "opendata.tabular.tasks:profile", args=args, inputs={"path": path}, limits=limits
            )
            schema = profile["schema"]
        answer: dict[str, Any] = loader.sandbox.run(
            "opendata.tabular.tasks:to_parquet",
            args={**args, "schema": schema},
            inputs={"path": path},
            output=folder,
            limits=limits,
        )
    answer["titles"] = {f["name"]: f for f in (schema or {}).get("fields", [])}
    return answer


def _finish(loader: Loader, resource: ResourceView, answer: dict[str, Any], info: TableInfo) -> None:
    file_id = resource.file.id if resource.file else ""
    with loader.place.writing(SYSTEM) as work:
        now = views.published_resource(work.session, resource.id)
        if (
            now is None
            or now.file is None
            or now.file.id != file_id
            or _recipe(work, now) != _recipe(work, resource)
        ):
            return
        table = _save(work, resource.id, file_id, TableState.READY)
        table.version, table.row_count = info.version, info.rows
        table.columns = [
            {"name": column.name, "type": column.type.value, **_titles(answer["titles"].get(column.name, {}))}
            for column in info.columns
        ]
        table.nulled = answer.get("nulled", {})
        table.reason = {}
        table.recipe = _recipe(work, resource)
        # The file's rows take the place of those written before.
        row_queries.remove(work, [resource.id], draft=False)
        _announce(work, resource)
        work.record("table.loaded", "resource", resource.id, file=file_id, rows=info.rows)
        work.session.flush()
        reach("load.written")


def _recipe(work: Work, resource: ResourceView) -> str:
    """What a table is made of: the bytes, and how they are read. A release that changes only words has the same."""
    file = resource.file
    return sha256_json(
        {
            "sha256": file.sha256 if file else "",
            "name": file.name if file else "",
            "options": resource.meta.options.stored(),
            "schema": table_schema(work.session, resource.meta),
        }
    )


def _is_loaded(loader: Loader, work: Work, resource: ResourceView, file: FileView) -> bool:
    table = work.session.get(Table, resource.id)
    if table is None or table.state != TableState.READY.value or table.recipe != _recipe(work, resource):
        return False
    try:
        loader.tables.info(resource.id, table.version)
    except TableMissing:
        return False
    table.file_id = file.id
    return True


def _check_kept(loader: Loader, resource_id: str, info: TableInfo) -> None:
    """A `drop` that began before may have removed the table after it was made: then it is made again."""
    try:
        loader.tables.info(resource_id, info.version)
    except TableMissing:
        raise Unavailable("tables_unavailable", retry_after=1) from None


def _is_read_alike(loader: Loader, resource: ResourceView) -> bool:
    """Whether what is public now is made of the same as this."""
    with loader.place.reading(SYSTEM) as work:
        now = views.published_resource(work.session, resource.id)
        return now is not None and _recipe(work, now) == _recipe(work, resource)


def _forget_older(loader: Loader, resource: ResourceView) -> None:
    """Where rows had to go, no older version of the table may be read, by anybody who reaches the store."""
    with loader.place.reading(SYSTEM) as work:
        if not roworders.in_force(work.session, resource.dataset_id):
            return
        table = work.session.get(Table, resource.id)
        version = table.version if table else None
    if version is not None:
        loader.tables.keep_only(resource.id, version)


def _titles(field: dict[str, Any]) -> dict[str, Any]:
    """What is told of a column; `ckan` are its type and dictionary as CKAN's clients wrote them."""
    words: dict[str, Any] = {key: str(field[key]) for key in ("title", "description") if field.get(key)}
    ckan = field.get("x-ckan")
    return {**words, "ckan": ckan} if isinstance(ckan, dict) and read_type(ckan.get("type")) else words


def _give_up(loader: Loader, resource: ResourceView, code: str, params: dict[str, Any]) -> None:
    with loader.place.writing(SYSTEM) as work:
        table = _save(work, resource.id, resource.file.id if resource.file else "", TableState.NONE)
        table.reason = {"code": code, "params": params}
        table.version = table.row_count = None
        table.columns, table.nulled = [], {}
        _announce(work, resource)


def _announce(work: Work, resource: ResourceView) -> None:
    """Column names are searchable: the dataset's index entry changes."""
    dataset = work.session.get(Dataset, resource.dataset_id)
    if dataset is not None:
        work.touch(dataset)


def _save(work: Work, resource_id: str, file_id: str, state: TableState) -> Table:
    table = work.session.get(Table, resource_id)
    if table is None:
        table = Table(resource_id=resource_id, state=state.value, file_id=file_id, updated_at=work.now)
        work.session.add(table)
    table.state, table.file_id, table.updated_at = state.value, file_id, work.now
    return table
