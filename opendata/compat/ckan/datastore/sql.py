"""datastore_search_sql: one SELECT over public tables, of a subset that is parsed (docs/ckan.md), run apart from the server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import orjson

from opendata.compat.ckan.datastore import arguments
from opendata.compat.ckan.datastore.places import Readable, readable
from opendata.compat.ckan.wire import MISSING, ActionError, Call, Ready, denied, text_of, wrong
from opendata.ports.sandbox.port import Limits
from opendata.tables.rows.engine import Refused, persistently

_READING = Limits(memory=512 << 20, cpu_seconds=5.0, wall_seconds=10.0)
_RUNNING = Limits(memory=1 << 30, cpu_seconds=20.0, wall_seconds=15.0)


def datastore_search_sql(call: Call) -> Ready:
    """Rows by one SQL SELECT over public tables, each named by its resource's id or alias in double quotes. `sql`. Functions
    and clauses are of a list; at most 32,000 rows, ten seconds."""
    sql = text_of(call.args, "sql")
    if "sql" not in call.args:
        raise wrong({"sql": [MISSING]})
    engine = call.parts.rows
    try:
        names = engine.run("sql:tables", {"sql": sql}, limits=_READING)
        places = {name: readable(call, name, everyones=True) for name in names}
        answer, body = persistently(partial(_rows, call, sql, places))
    except Refused as error:
        raise _refused(error) from None
    result: dict[str, Any] = {"sql": sql, "fields": answer["fields"]}
    if answer["truncated"]:
        result["records_truncated"] = True
    return Ready(
        orjson.dumps(result)[:-1] + b',"records":' + body + b"}",
        public=call.work.actor.is_public,
        used=next((place.resource_id for place in places.values()), ""),
    )


def _rows(call: Call, sql: str, places: Mapping[str, Readable]) -> tuple[dict[str, Any], bytes]:
    engine = call.parts.rows
    with engine.room() as room, ExitStack() as held:
        states = {
            name: held.enter_context(engine.state(call.work.session, place.lines))
            for name, place in places.items()
        }
        told = engine.run("sql:run", {"sql": sql, "states": states}, output=room, limits=_RUNNING)
        return told, (room / "records.json").read_bytes()


def _refused(error: Refused) -> ActionError:
    text = str(error.params.get("text", ""))
    if error.code == "bad_sql":
        return wrong({"message": text})
    if error.code == "forbidden_sql":
        return denied(text)
    if error.code == "too_heavy":
        return wrong({"query": ["Query took too long"]})
    return arguments.refused(error)
