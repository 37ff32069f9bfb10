"""datastore_search and datastore_info."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from opendata.compat.ckan.datastore import arguments
from opendata.compat.ckan.datastore.filters import Node, read_filters, shown
from opendata.compat.ckan.datastore.places import Readable, missing, readable
from opendata.compat.ckan.wire import Call, Ready, text_of, wrong
from opendata.tables.rows import queries
from opendata.tables.rows.engine import Refused, persistently
from opendata.tables.rows.types import native

FORMATS = ("objects", "lists", "csv", "tsv")
DEFAULT_LIMIT, MOST = 100, 32_000
_MOST_OFFSET = (1 << 53) - 1
_KNOWN = frozenset({
    "resource_id", "id", "q", "plain", "filters", "language", "limit", "offset", "fields", "sort", "distinct",
    "include_total", "total_estimation_threshold", "records_format", "include_next_page", "full_text",
})  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A search that has been done."""

    body: bytes
    """The JSON of `records`."""
    names: Sequence[str]
    found: int
    total: int | None
    next_page: dict[str, Any] | None


@dataclass(frozen=True)
class Query:
    """The arguments of a search, checked against the table."""

    names: list[str]
    ranks: list[str]
    filters: Node | None
    q: Any
    full_text: str
    plain: bool
    order: list[tuple[str, bool, bool]]
    distinct: bool
    limit: int
    offset: int
    count: bool
    shape: str
    next_page: bool

    @property
    def narrow(self) -> bool:
        return bool(self.filters or self.q or self.full_text or self.distinct)

    @property
    def by_id(self) -> str:
        """The way of the order, if it is by `_id` alone."""
        if self.distinct or (not self.order and self.ranks):
            return ""
        if not self.order:
            return "gt"
        return {False: "gt", True: "lt"}[self.order[0][1]] if [o[0] for o in self.order] == ["_id"] else ""


def datastore_search(call: Call) -> Ready:
    """Rows of a resource. `resource_id` (or an alias), `filters` (`{"a": 1}`, `{"a": [1, 2]}`, `{"a": {"gt": 1}}`, `$or`,
    `$and`), `q` (text, or {field: text}), `full_text`, `plain`, `distinct`, `fields`, `sort`, `limit` (100, at most
    32000), `offset`, `include_total`, `include_next_page`, `records_format` (objects, lists, csv, tsv)."""
    args = {key: value for key, value in call.args.items() if key != "callback"}
    key = arguments.resource_id(args)
    shape = text_of(args, "records_format") or "objects"
    if shape not in FORMATS:
        raise wrong({"records_format": [f"Value must be one of {list(FORMATS)}"]})
    limit = _limit(args)
    arguments.number(args, "offset", 0)
    place = readable(call, key)
    query = read_query(args, place, shape, limit)
    page = search(call, place, query)
    result = _repeated(args, query, place) | {
        "fields": [] if args.get("fields") == [] else fields_of(place, page.names, query.ranks),
    }
    if query.count:
        result["total"] = page.total
    if page.next_page is not None:
        result["next_page"] = page.next_page
    # The rows are JSON already: they are put in as they are.
    body = orjson.dumps(result)[:-1] + b',"records":' + page.body + b"}"
    return Ready(body, public=place.public, everyones=place.everyones, used=place.resource_id)


def datastore_info(call: Call) -> dict[str, Any]:
    """Columns, types, data dictionary and the number of rows of a resource's table. `resource_id`, `include_meta`,
    `include_fields_schema`."""
    key = arguments.resource_id(call.args)
    try:
        place = readable(call, key)
    except Exception as error:
        raise _not_there(error, key) from None
    found: dict[str, Any] = {"fields": [_told(place, entry, call) for entry in place.lines.fields]}
    if arguments.boolean(call.args, "include_meta", True):
        found["meta"] = {
            "id": place.resource_id,
            "count": place.count,
            "table_type": "BASE TABLE",
            "size": 0,
            "db_size": 0,
            "idx_size": 0,
            "aliases": list(queries.aliases_of(call.work, place.resource_id)),
        }
    return found


def read_query(args: Mapping[str, Any], place: Readable, shape: str, limit: int) -> Query:
    """`Validation Error` for the first argument that is wrong, as CKAN names it."""
    columns = ["_id", *(entry["id"] for entry in place.lines.fields)]
    filters = read_filters(arguments.decoded(args, "filters"), columns)
    q = _q(args, columns)
    full_text = text_of(args, "full_text")
    ranks = _ranks(q, full_text)
    wanted = arguments.names(args.get("fields"), "fields")
    for name in wanted or ():
        if name not in [*columns, *ranks]:
            raise wrong({"fields": [f'invalid value "{name}"']})
    order = arguments.sort_of(args, [*columns, *ranks])
    offset = arguments.number(args, "offset", 0)
    if not 0 <= offset <= _MOST_OFFSET:
        raise wrong({"offset": [f'invalid value "{offset}"']})
    for name in args.keys() - _KNOWN:
        raise wrong({"__extras": [f'invalid value "{str(name)[:100]}"']})
    names = list(dict.fromkeys(wanted)) if wanted else [*columns, *ranks]
    distinct = arguments.boolean(args, "distinct", False)
    if distinct and any(name not in names for name, *_ in order):
        orig = "for SELECT DISTINCT, ORDER BY expressions must appear in select list"
        raise wrong({"query": ["Invalid query"], "info": {"orig": [orig]}})
    return Query(
        names=names,
        ranks=ranks,
        filters=filters,
        q=q,
        full_text=full_text,
        plain=arguments.boolean(args, "plain", True),
        order=order,
        distinct=distinct,
        limit=limit,
        offset=offset,
        count=arguments.boolean(args, "include_total", True),
        shape=shape,
        next_page=arguments.boolean(args, "include_next_page", False),
    )


def search(call: Call, place: Readable, query: Query, *, after: Mapping[str, Any] | None = None) -> Page:
    """`after`: what the page before gave as `next_page`."""
    engine = call.parts.rows
    beyond: list[Any] = [[op, "_id", value] for op, value in (after or {}).get("_id", {}).items()]
    filters = ["and", [*beyond, *([query.filters] if query.filters else [])]] if beyond else query.filters
    # The number of all rows is known: nothing is counted for it.
    count = query.count and query.narrow
    asked = {
        "filters": filters,
        "q": query.q,
        "full_text": query.full_text,
        "plain": query.plain,
        "names": query.names,
        "order": query.order,
        "distinct": query.distinct,
        "limit": query.limit,
        "offset": query.offset,
        "count": count,
        "shape": query.shape,
        "keyset": query.next_page and bool(query.by_id),
    }

    def read() -> tuple[dict[str, Any], bytes]:
        with engine.room() as room, engine.state(call.work.session, place.lines) as state:
            told = engine.run("searching:search", {"state": state, "query": asked}, output=room)
            return told, (room / "records.json").read_bytes()

    try:
        answer, body = persistently(read)
    except Refused as error:
        raise arguments.refused(error) from None
    total = answer["total"] if count else place.count if query.count else None
    return Page(body, query.names, answer["found"], total, _next_page(query, answer))


def fields_of(place: Readable, names: Sequence[str], ranks: Sequence[str]) -> list[dict[str, Any]]:
    known = {entry["id"]: entry for entry in place.lines.fields}
    found = []
    for name in names:
        if name == "_id":
            found.append({"id": "_id", "type": "int"})
        elif name in ranks:
            found.append({"id": name, "type": "float"})
        else:
            info = {"info": known[name]["info"]} if known[name].get("info") else {}
            found.append({"id": name, "type": known[name]["type"], **info})
    return found


def _next_page(query: Query, answer: Mapping[str, Any]) -> dict[str, Any] | None:
    if not query.next_page or not query.by_id or not answer["ends"]:
        return None
    return {"_id": {query.by_id: answer["ends"][1]}}


def _limit(args: Mapping[str, Any]) -> int:
    value = args.get("limit")
    if value is None or value == "":
        return DEFAULT_LIMIT
    try:
        limit = int(str(value))
    except ValueError:
        raise wrong({"limit": ["Invalid integer", "Please enter an integer value"]}) from None
    if limit < 0:
        raise wrong({"limit": ["Must be a natural number"]})
    return min(limit, MOST)


def _q(args: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """A text, or {field: text}; GETs send the object as text."""
    value = args.get("q")
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    for name in value:
        if name not in columns:
            raise wrong({"q": [f'invalid value "{name[:100]}"']})
    return {name: str(text) for name, text in value.items()}


def _ranks(q: Any, full_text: str) -> list[str]:
    """Columns that tell how well a row fits."""
    found = ["rank"] if full_text or (q and isinstance(q, str)) else []
    return found + ([f"rank {name}" for name in q] if isinstance(q, dict) else [])


def _repeated(args: Mapping[str, Any], query: Query, place: Readable) -> dict[str, Any]:
    """The arguments, as CKAN says them again."""
    same = {key: args[key] for key in ("sort", "language") if args.get(key)}
    if query.q:
        same["q"] = query.q
    if query.full_text:
        same["full_text"] = query.full_text
    if "plain" in args:
        same["plain"] = query.plain
    if "distinct" in args:
        same["distinct"] = query.distinct
    if args.get("offset") not in (None, ""):
        same["offset"] = query.offset
    if args.get("filters"):
        same["filters"] = arguments.decoded(args, "filters")
        same["filterops"] = shown(query.filters)
    return {
        **same,
        "include_next_page": query.next_page,
        "include_total": query.count,
        "limit": query.limit,
        "records_format": query.shape,
        "resource_id": place.resource_id,
    }


def _told(place: Readable, entry: Mapping[str, Any], call: Call) -> dict[str, Any]:
    kind = (
        "nested" if entry["type"] == "json" else entry["type"]
    )  # CKAN's own name for it, which searches do not show
    told: dict[str, Any] = {"id": entry["id"], "type": kind}
    if entry.get("info"):
        told["info"] = entry["info"]
    if arguments.boolean(call.args, "include_fields_schema", True):
        indexed = _indexed(place)
        told["schema"] = {
            "native_type": native(entry["type"]),
            "notnull": False,
            "index_name": indexed.get(entry["id"]),
            "is_index": entry["id"] in indexed,
            "uniquekey": False,
        }
    return told


def _indexed(place: Readable) -> dict[str, str]:
    """Fields that a client gave an index or made a key, with its name."""
    if place.table is None:
        return {}
    wanted: list[Any] = [*place.table.indexes, place.table.primary_key]
    found: dict[str, str] = {}
    for index in wanted:
        for name in index if isinstance(index, list) else [index]:
            found.setdefault(str(name), f"index_{name}")
    return found


def _not_there(error: Exception, key: str) -> Exception:
    """CKAN's other words for the same."""
    from_search = missing(key)
    if getattr(error, "body", None) != from_search.body:
        return error
    from_search.body["message"] = f'Not found: Resource/Alias "{key[:100]}" was not found.'
    return from_search
