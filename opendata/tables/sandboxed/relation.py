"""The rows of a table as they are now: the files of its Delta version, and over them the parts of the journal.

A part holds whole rows by `_id`; a later mention of an `_id` replaces an earlier one, and a row that is `_dead` is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from opendata.core.errors import Limited, Unavailable
from opendata.ports.table_store.engine import Engine, Session
from opendata.tables.sandboxed.refusals import Refusal

MEMORY = 512 << 20
SECONDS = 10.0
_SQL_TYPES = {
    "int2": "BIGINT",
    "int4": "BIGINT",
    "int8": "BIGINT",
    "numeric": "DOUBLE",
    "float4": "DOUBLE",
    "float8": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "timestamptz": "TIMESTAMPTZ",
}


class State:
    """A table as the server describes it: `fields` [{id, field, type}], `key` (ids of fields), `base` (paths),
    `base_fields`, `parts` [{path, kills}], `folders` under which all of them lie."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self.fields: list[dict[str, Any]] = described["fields"]
        self.key: list[str] = described.get("key", [])
        self.base: list[str] = described["base"]
        self.base_fields = set(described["base_fields"])
        self.parts: list[dict[str, Any]] = described["parts"]
        self.folders = tuple(described["folders"])
        self.by_id = {field["id"]: field for field in self.fields}

    @property
    def empty(self) -> bool:
        return not self.base and not self.parts

    def kind(self, name: str) -> str:
        return "int4" if name == "_id" else str(self.by_id[name]["type"])

    def column(self, name: str) -> str:
        """The quoted column of a field by its id; `_id` is itself."""
        return quoted("_id" if name == "_id" else self.by_id[name]["field"])

    def relation(self) -> str:
        """SQL of all live rows, to stand in parentheses."""
        layers = []
        killers = [part["path"] for part in self.parts if part["kills"]]
        if self.base:
            gone = f" WHERE _id NOT IN (SELECT _id FROM {files_sql(killers)})" if killers else ""
            layers.append(f"SELECT {self._columns(self.base_fields)} FROM {files_sql(self.base)}{gone}")
        if self.parts:
            newest = " QUALIFY row_number() OVER (PARTITION BY _id ORDER BY _seq DESC) = 1" if killers else ""
            paths = [part["path"] for part in self.parts]
            dead = " WHERE NOT _dead" if killers else ""
            tail = f"SELECT * FROM {files_sql(paths)}{newest}"
            layers.append(f"SELECT {self._columns(None)} FROM ({tail}){dead}")
        if not layers:
            return f"SELECT {self._columns(set(), nothing=True)} WHERE false"
        return " UNION ALL ".join(layers)

    def _columns(self, there: set[str] | None, *, nothing: bool = False) -> str:
        names = ["CAST(NULL AS BIGINT) AS _id" if nothing else "_id"]
        for field in self.fields:
            name = quoted(field["field"])
            if there is None or field["field"] in there:
                names.append(name)
            else:
                names.append(f"CAST(NULL AS {sql_type(field['type'])}) AS {name}")
        return ", ".join(names)


@contextmanager
def reading(*states: State) -> Iterator[Session]:
    """A session that may read what belongs to these tables. Errors of the engine become a task's."""
    folders = sorted({folder for state in states for folder in state.folders})
    with _told(), _engine(tuple(folders)).session() as session:
        yield session


def beside(table: State, part: pa.Table, most: int) -> pa.Table:
    """Some of the rows that a change leaves as they are."""
    sql = f"SELECT * FROM ({table.relation()}) AS live WHERE _id NOT IN (SELECT _id FROM changed) LIMIT ?"
    with reading(table) as session:
        session.give("changed", part.select(["_id"]))
        return session.table(sql, [most])


@contextmanager
def alone(*states: State) -> Iterator[Session]:
    """A session in an engine of its own that can open the files of these tables and nothing else: for a stranger's SQL."""
    files = [path for state in states for path in (*state.base, *(part["path"] for part in state.parts))]
    engine = Engine(files=files, memory=MEMORY, seconds=SECONDS)
    try:
        with _told(), engine.session() as session:
            yield session
    except Refusal:
        # To the fence a file that has gone is a folder, and no folder may be opened.
        if not all(Path(file).exists() for file in files):
            raise Refusal("files_gone") from None
        raise
    finally:
        engine.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Limited:
        raise Refusal("too_heavy") from None
    except FileNotFoundError:
        raise Refusal("files_gone") from None
    except Unavailable as error:
        raise Refusal("engine_failed", kind=str(error.params.get("kind", ""))) from None


@cache
def _engine(folders: Sequence[str]) -> Engine:
    return Engine(*(Path(folder) for folder in folders), memory=MEMORY, seconds=SECONDS)


def sql_type(kind: str) -> str:
    return _SQL_TYPES.get(kind, "VARCHAR")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def files_sql(paths: Sequence[str]) -> str:
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
