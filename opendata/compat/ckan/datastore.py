"""datastore_search and datastore_info over published tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import orjson

from opendata.access import policy
from opendata.compat.ckan.resources import visible_resource
from opendata.compat.ckan.wire import Arguments, Call, Ready, require, text_of, wrong
from opendata.ports.table_store.port import Column, ColumnType, Rows
from opendata.tables import service
from opendata.tables.datastore import ckan_type, parse_datastore
from opendata.tables.models import Table

FORMATS = ("objects", "lists", "csv", "tsv")


def datastore_search(call: Call) -> Ready:
    """Rows of a resource. `resource_id`, `filters`, `q`, `distinct`, `fields`, `sort`, `limit` (100, at most 32000),
    `offset`, `include_total`, `records_format` (objects, lists, csv, tsv)."""
    args = {key: value for key, value in call.args.items() if key != "callback"}
    shape = text_of(args, "records_format") or "objects"
    if shape not in FORMATS:
        raise wrong({"records_format": [f"Value must be one of {list(FORMATS)}"]})
    resource_id = require(args, "id", "resource_id").lower()
    table = _table(call, resource_id)
    select = parse_datastore(args, _columns(table))
    rows = service.read(call.parts.tables, table, select)
    result: dict[str, Any] = {
        "include_total": select.count,
        "limit": select.limit,
        "records_format": shape,
        "resource_id": resource_id,
        "total_estimation_threshold": None,
        "records": _records(rows, shape),
        "fields": [{"id": column.name, "type": ckan_type(column)} for column in rows.columns],
        "_links": _links(args, select.offset, select.limit),
    }
    result |= {name: args[name] for name in ("filters", "q", "sort", "offset") if args.get(name)}
    if select.count:
        total = table.row_count if rows.total is None else rows.total
        result |= {"total": total, "total_was_estimated": False}
    return Ready(orjson.dumps(result, default=str), public=call.work.actor.is_public, used=resource_id)


def datastore_info(call: Call) -> dict[str, Any]:
    """Columns and the number of rows of a resource's table. `id`."""
    resource_id = require(call.args, "resource_id", "id").lower()
    table = _table(call, resource_id)
    titles = {column["name"]: column for column in table.columns}
    return {
        "meta": {"id": resource_id, "count": table.row_count, "table_type": "BASE TABLE", "aliases": []},
        "fields": [
            {
                "id": column.name,
                "type": ckan_type(column),
                "schema": {
                    "native_type": ckan_type(column),
                    "notnull": False,
                    "is_index": False,
                    "uniquekey": False,
                },
                "info": _info(titles[column.name]),
            }
            for column in _columns(table)
        ],
        "schema": {column.name: ckan_type(column) for column in _columns(table)},
    }


def _table(call: Call, resource_id: str) -> Table:
    """The table of a public resource whose rows the caller may have."""
    view, resource = visible_resource(call, resource_id)
    policy.check_data(call.work.actor, view)
    return service.ready(call.work.session, resource.id)


def _columns(table: Table) -> list[Column]:
    return [Column(column["name"], ColumnType(column["type"])) for column in table.columns]


def _info(column: dict[str, Any]) -> dict[str, str]:
    return {
        "label": str(column.get("title", "")),
        "notes": str(column.get("description", "")),
        "type_override": "",
    }


def _records(rows: Rows, shape: str) -> Any:
    if shape == "objects":
        return rows.rows
    lists = [list(row.values()) for row in rows.rows]
    return lists if shape == "lists" else _text(lists, "," if shape == "csv" else "\t")


def _text(lists: Sequence[Sequence[Any]], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(lists)
    return out.getvalue()


def _links(args: Arguments, offset: int, limit: int) -> dict[str, str]:
    """The first page and the next, by the same arguments."""
    same = {
        key: value if isinstance(value, str | int | float) else orjson.dumps(value).decode()
        for key, value in args.items()
        if key != "offset"
    }
    path = "/api/3/action/datastore_search?"
    return {
        "start": path + urlencode(same),
        "next": path + urlencode({**same, "offset": offset + limit}),
    }
