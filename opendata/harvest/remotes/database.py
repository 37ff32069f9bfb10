"""A table or view of an agency's own database: one dataset, whose file is written anew when its watermark has moved. Columns and
watermark are names that are looked up in the database; no SQL is ever taken from anybody."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from opendata.catalog.profile import Keyword
from opendata.harvest.reading import building, cleaning
from opendata.harvest.record import Asking, Record, Refused, Sink, SourceBroken

BATCH = 1000
CONNECT_SECONDS = 10
_TYPES: Sequence[tuple[type, str]] = ((bool, "boolean"), (int, "integer"), (float, "number"), (Decimal, "number"), (datetime, "datetime"), (date, "date"))  # fmt: skip
"""Table Schema's type of Python's; the others are texts."""


class Options(BaseModel):
    """What an administrator sets for a source of this kind. The source's address is `TABLE` or `SCHEMA.TABLE`, its secret the
    SQLAlchemy address of the database."""

    model_config = ConfigDict(extra="forbid")

    columns: list[str] = Field(
        min_length=1, max_length=500, description="What goes out, in this order; nothing else is read"
    )
    watermark: str = Field("", max_length=200, description="A column that grows with each change; without, the count alone tells")  # fmt: skip
    title: str = Field(min_length=1, max_length=300)
    description: str = Field("", max_length=10_000)
    keywords: list[Keyword] = Field(default_factory=list, max_length=50)
    themes: list[str] = Field(default_factory=list, max_length=20)
    update_cycle: str = Field("", max_length=20)
    titles: dict[str, str] = Field(
        default_factory=dict, max_length=500, description="{column: what it means}"
    )
    most_rows: int = Field(1_000_000, ge=1, le=20_000_000, description="More are refused")


def gather(asking: Asking) -> Iterator[Record | Refused]:
    options = Options.model_validate(asking.options)
    with _connected(asking) as (connection, table):
        types = _checked(connection, table, options)
        count, mark = _state(connection, table, options)
    if count > options.most_rows:
        raise SourceBroken("harvest_too_many_rows", limit=options.most_rows)
    if not count:
        raise SourceBroken("harvest_empty", address=asking.url[:200])
    asking.progress(1, 1)
    told = {
        name: getattr(options, name)
        for name in ("title", "description", "keywords", "themes", "update_cycle")
    }
    columns = [
        {"name": name, "type": types[name]}
        | ({"title": options.titles[name]} if name in options.titles else {})
        for name in options.columns
    ]
    resource = building.resource(
        {"name": options.title, "format": "CSV", "media_type": "text/csv", "schema": {"fields": columns}},
        identifier=asking.url,
        content=f"{count} {mark.isoformat() if isinstance(mark, date) else '' if mark is None else mark}",
    )
    changed = cleaning.moment(mark.isoformat()) if isinstance(mark, date) else None
    yield building.record(
        asking.url,
        told | {"data_updated_on": cleaning.day(mark.isoformat()) if isinstance(mark, date) else ""},
        [resource],
        modified=changed,
    )


def open_rows(asking: Asking, content: str, sink: Sink) -> str:
    """The rows as CSV, batch by batch. What came since the run looked is among them; the next run finds the watermark moved."""
    options = Options.model_validate(asking.options)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(options.columns)
    with _connected(asking) as (connection, table):
        types = [*_checked(connection, table, options).values()]
        seen = 0
        for rows in connection.execute(_rows(table, options)).partitions():
            seen += len(rows)
            if seen > options.most_rows:
                raise SourceBroken("harvest_too_many_rows", limit=options.most_rows)
            writer.writerows(map(_cell, row, types) for row in rows)
            sink(buffer.getvalue().encode())
            buffer.seek(0)
            buffer.truncate()
            asking.progress(seen)
    sink(buffer.getvalue().encode())  # a table that was emptied meanwhile has its header
    return f"{asking.url.rpartition('.')[2]}.csv"


@contextmanager
def _connected(asking: Asking) -> Iterator[tuple[Connection, sa.TableClause]]:
    """A connection that reads and is given back; what the database said stays out of the reason, it may hold a secret."""
    schema, _, name = asking.url.rpartition(".")
    try:
        engine = sa.create_engine(_address(asking), poolclass=NullPool, hide_parameters=True)
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            yield connection, sa.table(name, schema=schema or None)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
        raise SourceBroken("harvest_database_address") from None
    except NoSuchTableError:
        raise SourceBroken("harvest_no_table", name=asking.url[:200]) from None
    except SQLAlchemyError as error:
        raise SourceBroken("harvest_database", reason=type(error).__name__) from None


def _address(asking: Asking) -> sa.URL:
    """A SQLite file is one that was dropped: no other of this machine's is anybody's to publish."""
    url = make_url(asking.secret)
    if url.get_backend_name() == "sqlite":
        path = asking.drop.local_path(url.database or "") if asking.drop else None
        if path is None:
            raise SourceBroken("harvest_database_address")
        return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
    return url


def _checked(connection: Connection, table: sa.TableClause, options: Options) -> dict[str, str]:
    """{column: type of Table Schema} of the columns that are asked for."""
    known = {one["name"]: one["type"] for one in sa.inspect(connection).get_columns(table.name, table.schema)}
    wanted = [*options.columns, *filter(None, [options.watermark])]
    missing = [name for name in wanted if name not in known]
    if missing:
        raise SourceBroken("harvest_no_column", name=missing[0][:100], known=", ".join(known)[:500])
    return {name: _type_of(known[name]) for name in options.columns}


def _state(connection: Connection, table: sa.TableClause, options: Options) -> tuple[int, Any]:
    """How many rows there are, and the highest watermark."""
    highest = sa.func.max(sa.column(options.watermark)) if options.watermark else sa.null()
    count, mark = connection.execute(sa.select(sa.func.count(), highest).select_from(table)).one()
    return int(count), _moment(mark)


def _rows(table: sa.TableClause, options: Options) -> sa.Select[Any]:
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in options.columns]
    query = sa.select(*columns).select_from(table).execution_options(stream_results=True, yield_per=BATCH)
    return query.order_by(sa.column(options.watermark)) if options.watermark else query


def _moment(mark: Any) -> Any:
    """A time that a database without types (SQLite) gives as text is one."""
    if isinstance(mark, str) and (found := cleaning.moment(mark)):
        return found
    return mark


def _type_of(column: Any) -> str:
    try:
        python = column.python_type
    except NotImplementedError:
        return "string"
    return next((name for kind, name in _TYPES if issubclass(python, kind)), "string")


def _cell(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind == "boolean":  # a number in databases that have no truth
        return "true" if value else "false"
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, date) else str(value)
