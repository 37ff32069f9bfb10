"""DuckDB, fenced in: it may read one folder and nothing else, with little memory, two threads and a clock.

Queries come from `queries.py` alone, with values bound as parameters; the fence is the second wall.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from opendata.core.errors import Limited, Unavailable

_AT_ONCE = 4
_SETTINGS = (
    ("autoload_known_extensions", "false"),
    ("autoinstall_known_extensions", "false"),
    ("allow_community_extensions", "false"),
    ("allow_persistent_secrets", "false"),
    ("python_enable_replacements", "false"),
    ("temp_directory", "''"),  # no spilling: what does not fit is too heavy
    ("parquet_metadata_cache", "true"),
    ("TimeZone", "'UTC'"),
    ("async_threads", "2"),
    # These two come last: they close the door behind them. (max_execution_time has no effect in 2.0.0.)
    ("enable_external_access", "false"),
    ("lock_configuration", "true"),
)


class Session:
    """One reader's queries, sharing one time limit."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, deadline: float) -> None:
        self._cursor = cursor
        self._deadline = deadline

    def rows(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with _errors():
            self._check()
            return self._cursor.execute(sql, list(parameters)).fetchall()

    def table(self, sql: str, parameters: Sequence[Any]) -> pa.Table:
        with _errors():
            self._check()
            return self._cursor.sql(sql, params=list(parameters)).to_arrow_table()

    def give(self, name: str, table: pa.Table) -> None:
        """Makes rows of the caller's readable under a name, in this session alone."""
        with _errors():
            self._cursor.register(name, table)

    def _check(self) -> None:
        # An interrupt between two queries would be lost.
        if time.monotonic() > self._deadline:
            raise Limited("query_too_heavy")


class Engine:
    """One DuckDB for the process, made at the first query; it reads what is under these folders, and these files. `memory`
    in bytes for all queries together."""

    def __init__(self, *folders: Path, files: Sequence[str] = (), memory: int, seconds: float) -> None:
        self._folders = [str(folder) for folder in folders]
        self._paths = list(files)
        if any(sign in folder for folder in self._folders for sign in "*?["):
            raise ValueError(
                "the tables' folder must not have * ? or [ in its path: DuckDB takes them for patterns"
            )
        self._memory = memory
        self._seconds = seconds
        self._database: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session of at most `seconds`. `Limited("query_too_heavy")` past the time or the memory, or when too many
        queries are under way."""
        deadline = time.monotonic() + self._seconds
        if not self._places.acquire(timeout=self._seconds / 2):
            raise Limited("query_too_heavy", retry_after=5)
        try:
            cursor = self._connection().cursor()
            watch = threading.Timer(max(0.0, deadline - time.monotonic()), _interrupt, [cursor])
            watch.daemon = True
            watch.start()
            try:
                yield Session(cursor, deadline)
            finally:
                watch.cancel()
                cursor.close()
        finally:
            self._places.release()

    def close(self) -> None:
        with self._lock:
            if self._database:
                self._database.close()
                self._database = None

    def _connection(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._database is None:
                self._database = duckdb.connect(
                    ":memory:", config={"memory_limit": f"{self._memory}B", "threads": 2}
                )
                self._database.execute(f"SET allowed_directories = [{_texts(self._folders)}]")
                self._database.execute(f"SET allowed_paths = [{_texts(self._paths)}]")
                for name, value in _SETTINGS:
                    self._database.execute(f"SET {name} = {value}")
            return self._database


def _texts(values: Sequence[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def _interrupt(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.interrupt()
    except duckdb.Error:  # it was closed in the same moment
        return


@contextmanager
def _errors() -> Iterator[None]:
    """Fixed errors: DuckDB's texts hold server paths."""
    try:
        yield
    except (duckdb.InterruptException, duckdb.OutOfMemoryException, MemoryError):
        raise Limited("query_too_heavy") from None
    except duckdb.IOException:
        raise FileNotFoundError from None
    except duckdb.Error as error:
        raise Unavailable("tables_unavailable", kind=type(error).__name__) from None
