"""Running tasks on rows: what the server hands to the worker, and what it takes back. No cell is looked at here."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from opendata.core.errors import Unavailable
from opendata.ports.sandbox.port import LimitExceeded, Limits, Sandbox, TaskFailed
from opendata.ports.table_store.port import Held, HeldFile, TableMissing, TableStore
from opendata.tables.rows.models import RowChange, RowTable
from opendata.tables.rows.types import kept_as, type_of

log = logging.getLogger(__name__)
T = TypeVar("T")
_TASKS = "opendata.tables.sandboxed"
SEARCH = Limits(memory=1 << 30, cpu_seconds=25.0, wall_seconds=30.0)


_READ_SECONDS = 120.0


class Refused(Exception):
    """The worker refused what was asked. `code` and `params` are the task's."""

    def __init__(self, code: str, params: Mapping[str, Any]) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class FilesGone(Unavailable):
    """A file of the table went while it was read: by a row order, or its folder was emptied."""

    default_code = "tables_unavailable"


def persistently(read: Callable[[], T]) -> T:
    """Reads, and once more if files have gone meanwhile: `read` looks anew where they lie."""
    try:
        return read()
    except FilesGone:
        return read()


@dataclass(frozen=True)
class Lines:
    """A table to be read: its fields, and where its rows are."""

    fields: Sequence[Mapping[str, Any]]
    key: Sequence[str] = ()
    base: str | None = None
    base_version: int | None = None
    journal: str = ""
    """The table whose journal lies over the base."""
    seq: int = 0


@dataclass(frozen=True)
class RowEngine:
    """`folder`: where parts of the journal are kept for the workers; it can be emptied at any time."""

    sandbox: Sandbox
    tables: TableStore
    folder: Path
    scratch: Path
    secret: bytes = field(repr=False)
    """Salts the hashes of keys whose rows were erased."""
    readable: Sequence[Path] = ()
    """Folders under which the files of the store lie on this machine."""

    @classmethod
    def beside(cls, data: Path, sandbox: Sandbox, tables: TableStore, secret: bytes) -> RowEngine:
        """With its folders in the data folder."""
        readable = (data / "tables", data / "table-cache")
        return cls(sandbox, tables, data / "row-journal", data / "scratch", secret, readable)

    def run(
        self,
        task: str,
        args: Mapping[str, Any],
        *,
        inputs: Mapping[str, Path] | None = None,
        output: Path | None = None,
        limits: Limits = SEARCH,
        package: str = _TASKS,
    ) -> Any:
        """`package`: where the task lives. `Refused` for what the task found wrong, `Refused("too_heavy")` past its limits."""
        try:
            return self.sandbox.run(
                f"{package}.{task}", args=args, inputs=inputs, output=output, limits=limits
            )
        except TaskFailed as failure:
            if failure.code == "engine_failed" and task == "sql:run":  # the statement's fault: a name, a type
                raise Refused("bad_query", {"text": failure.params.get("kind", "")}) from None
            if failure.code in ("files_gone", "task_crashed", "engine_failed"):
                log.warning("task %s on rows failed: %s %s", task, failure.code, dict(failure.params))
                if failure.code == "files_gone":
                    raise FilesGone(retry_after=1) from None
                raise Unavailable("tables_unavailable", retry_after=1, kind=str(failure.params)) from None
            raise Refused(failure.code, failure.params) from None
        except LimitExceeded:
            raise Refused("too_heavy", {}) from None

    @contextmanager
    def room(self) -> Iterator[Path]:
        """A folder for one task's files."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="rows-", dir=self.scratch))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def state(self, session: Session, lines: Lines) -> Iterator[dict[str, Any]]:
        """The table as tasks want it described; its files stay meanwhile."""
        with self.opened(session, lines) as (state, _files):
            yield state

    @contextmanager
    def opened(self, session: Session, lines: Lines) -> Iterator[tuple[dict[str, Any], Sequence[HeldFile]]]:
        """The same, with the files under the journal."""
        with self._held(lines) as held:
            parts = self._parts(session, lines)
            state = {
                "fields": [{key: field[key] for key in ("id", "field", "type")} for field in lines.fields],
                "key": list(lines.key),
                "base": [str(file.path) for file in held.files],
                "base_fields": [column["field"] for column in held.columns],
                "parts": parts,
                "folders": sorted(str(folder.absolute()) for folder in (self.folder, *self.readable)),
            }
            yield state, held.files

    def loaded(self, resource_id: str, version: int, told: Mapping[str, Mapping[str, Any]]) -> Lines:
        """A table that was loaded from a file; `told`: what is told of its columns, by their names:
        {type?, info?, key? (its place in the key)}."""
        with self._held(Lines((), (), resource_id, version)) as held:
            columns = held.columns
        fields = []
        for column in columns:
            instant = column["type"] == "datetime" and not column["local"]
            kind = "timestamptz" if instant else type_of(column["type"])
            said = told.get(column["name"], {})
            if said.get("type") and kept_as(said["type"]).value == column["type"]:
                kind = said["type"]
            info = {"info": said["info"]} if said.get("info") else {}
            fields.append({"id": column["name"], "field": column["field"], "type": kind, **info})
        places = {name: said["key"] for name, said in told.items() if isinstance(said.get("key"), int)}
        return Lines(fields, sorted(places, key=lambda name: int(places[name])), resource_id, version)

    @contextmanager
    def _held(self, lines: Lines) -> Iterator[Held]:
        if lines.base is None or lines.base_version is None:
            yield Held([], [])
            return
        try:
            with self.tables.hold(lines.base, lines.base_version) as held:
                yield held
        except TableMissing:
            raise Unavailable("tables_unavailable", retry_after=1) from None

    def _parts(self, session: Session, lines: Lines) -> list[dict[str, Any]]:
        if not lines.journal:
            return []
        query = select(RowChange).where(RowChange.table_id == lines.journal).order_by(RowChange.seq)
        changes = session.execute(query).scalars().all()
        absent = [change for change in changes if not self.place(change).exists()]
        if absent:
            self._fetch(session, lines.journal, [change.seq for change in absent])
        return [
            {"path": str(self.place(change)), "kills": change.kills, "rows": change.rows, "seq": change.seq}
            for change in changes
        ]

    def place(self, change: RowChange) -> Path:
        """Where a part is kept. Its name is its own: a change that was rolled back leaves a file that no other one has."""
        return self.folder / change.table_id / f"{change.seq}-{change.part}.parquet"

    def keep(self, change: RowChange, part: Path) -> None:
        """A part that was just made is at hand for those who read it next; it counts once its row is committed."""
        place = self.place(change)
        place.parent.mkdir(parents=True, exist_ok=True)
        part.replace(place)

    def forget(self, table_id: str, up_to: int) -> None:
        """Removes parts up to a change that has been folded, once nobody can be reading them any more."""
        for path in (self.folder / table_id).glob("*.parquet"):
            old = time.time() - path.stat().st_mtime > _READ_SECONDS
            if old and int(path.name.partition("-")[0]) <= up_to:
                path.unlink(missing_ok=True)

    def keep_only(self, table_id: str, changes: Sequence[RowChange]) -> None:
        """Removes parts of a table that none of these changes, its whole journal, names."""
        kept = {self.place(change) for change in changes}
        for path in (self.folder / table_id).glob("*.parquet"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def remove(self, table_id: str) -> None:
        """Removes all parts of a table that is gone."""
        shutil.rmtree(self.folder / table_id, ignore_errors=True)

    def _fetch(self, session: Session, table_id: str, seqs: Sequence[int]) -> None:
        query = select(RowChange).where(RowChange.table_id == table_id, RowChange.seq.in_(seqs))
        whole = query.options(undefer(RowChange.body)).execution_options(populate_existing=True)
        for change in session.execute(whole).scalars():
            place = self.place(change)
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=place.parent, suffix=".new", delete=False) as file:
                file.write(change.body)
            Path(file.name).replace(place)


def lines_of(table: RowTable) -> Lines:
    return Lines(table.fields, table.primary_key, table.base, table.base_version, table.id, table.seq)
