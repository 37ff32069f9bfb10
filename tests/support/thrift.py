"""What a process of tests need not do again for each of thousands of small applications.

* **Garbage.** The modules of the program and of the tools that it is compared with are millions of objects which never go.
  Python would look through all of them again and again: a fifth of the tests' time.
* **Statements.** Each test has databases of its own, and SQLAlchemy compiles each statement once for each database. Those of
  one kind of database are the same text: compiled once, they serve the whole process.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Dialect, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from opendata.core import database

SELDOM = (20_000, 20, 20)
"""How many objects more there must be before Python looks for garbage, and how often it looks at older ones too. A request makes
thousands which are gone with it, and a syntax tree is nothing but new objects."""
_compiled: dict[Any, Any] = {}
_dialects: dict[str, Dialect] = {}
"""By the name of the driver; a compiled statement is kept for one dialect."""


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Everything is imported now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "create_engine", _thrifty)
        yield


def _thrifty(url: str, *, json_serializer: Any, **options: Any) -> Engine:
    dialect = _dialect(url, json_serializer)
    if dialect is not None:
        kept = {"compiled_cache": _compiled, **options.pop("execution_options", {})}
        options["execution_options"] = kept
    engine = create_engine(url, json_serializer=json_serializer, **options)
    engine.dialect = dialect or engine.dialect
    return engine


def _dialect(url: str, json_serializer: Any) -> Dialect | None:
    """The one for all databases of this kind, which has met one; None for a database that does not answer."""
    driver = make_url(url).drivername
    if driver not in _dialects:
        met = create_engine(url, json_serializer=json_serializer)
        try:
            met.connect().close()
        except DBAPIError:
            return None
        finally:
            met.dispose()
        _dialects[driver] = met.dialect
    return _dialects[driver]
