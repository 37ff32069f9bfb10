"""`/datastore/dump/{id}`: all rows of a table, or those of a search, as CSV, TSV, JSON or XML, page after page.

Each page is a search of its own, with the caller's rights at that moment: a dump holds no transaction and no more memory
than a page.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson
from starlette.responses import Response, StreamingResponse

from opendata.compat.ckan.datastore import arguments, searching
from opendata.compat.ckan.datastore.places import readable
from opendata.compat.ckan.wire import ActionError, Call, action_error, wrong
from opendata.core.errors import DomainError

PAGE = 32_000
_SHAPES = {"csv": "csv", "tsv": "tsv", "json": "lists", "xml": "objects"}
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
}
_SEARCH = ("filters", "q", "distinct", "plain", "language", "fields", "sort")
_BOM = "\ufeff".encode()
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Open = Callable[[dict[str, Any]], AbstractContextManager[Call]]
"""A call of an action with these arguments, for as long as its block lasts."""


def answer(key: str, given: Mapping[str, str], opened: Open) -> Response:
    """The dump. Errors are plain text: 400 for wrong arguments, 404 for what is not there or not for the caller."""
    try:
        dump = _Dump(key, given, opened)
        pages = dump.pages()
        first = next(pages)
    except (ActionError, DomainError) as error:
        return _failed(action_error(error))
    headers = {
        "Content-Disposition": f'attachment; filename="{dump.resource_id}.{dump.format}"',
        "Cache-Control": "private, no-store",
        "Vary": "Authorization",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(_chained(first, pages), 200, headers, _TYPES[dump.format])


class _Dump:
    def __init__(self, key: str, given: Mapping[str, str], opened: Open) -> None:
        self._key = key
        self._opened = opened
        self.format = given.get("format") or "csv"
        if self.format not in _SHAPES:
            raise wrong({"format": [f"Value must be one of {list(_SHAPES)}"]})
        self._bom = arguments.boolean(given, "bom", False)
        self._offset = arguments.number(given, "offset", 0)
        self._limit = arguments.number(given, "limit", -1)
        self._search = {name: given[name] for name in _SEARCH if given.get(name)}
        self._search.setdefault("sort", "_id")
        self._after: dict[str, Any] | None = None
        self.resource_id = ""

    def pages(self) -> Iterator[bytes]:
        """The head with the first rows, then page after page."""
        started, writer = False, _Writer("csv", [])
        while True:
            size = PAGE if self._limit < 0 else min(PAGE, self._limit)
            page, fields = self._page(size)
            if not started:
                started, writer = True, _Writer(self.format, fields)
                yield (_BOM if self._bom else b"") + writer.head()
            yield writer.rows(page.body)
            self._offset += page.found
            self._limit -= page.found if self._limit >= 0 else 0
            self._after = page.next_page
            if page.found < size or self._limit == 0:
                yield writer.end()
                return

    def _page(self, size: int) -> tuple[searching.Page, list[dict[str, Any]]]:
        with self._opened(self._search) as call:
            place = readable(call, self._key)
            self.resource_id = place.resource_id
            known = {**self._search, "include_total": False, "include_next_page": True}
            if self._after is None:
                known["offset"] = self._offset
            query = searching.read_query(known, place, _SHAPES[self.format], size)
            page = searching.search(call, place, query, after=self._after)
            return page, searching.fields_of(place, page.names, query.ranks)


class _Writer:
    """Rows of a search, as CKAN's dumps write them."""

    def __init__(self, kind: str, fields: Sequence[Mapping[str, Any]]) -> None:
        self._kind = kind
        self._fields = fields
        self._names = [str(field["id"]) for field in fields]
        self._elements = _elements(name for name in self._names if name != "_id")
        self._first = True

    def head(self) -> bytes:
        if self._kind == "xml":
            return b'<data xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        if self._kind == "json":
            return b'{\n  "fields": ' + orjson.dumps(self._fields) + b',\n  "records": ['
        out = io.StringIO()
        csv.writer(out, delimiter="," if self._kind == "csv" else "\t").writerow(self._names)
        return out.getvalue().encode()

    def rows(self, body: bytes) -> bytes:
        found = orjson.loads(body)
        if isinstance(found, str):
            return found.encode()
        if self._kind == "json":
            lines = b"".join(b",\n    " + orjson.dumps(row) for row in found)
            start, self._first = self._first and bool(found), self._first and not found
            return lines[1:] if start else lines
        return "".join(self._row(row) for row in found).encode()

    def end(self) -> bytes:
        return {"json": b"\n]}\n", "xml": b"</data>\n"}.get(self._kind, b"")

    def _row(self, row: Mapping[str, Any]) -> str:
        mark = f" _id={quoteattr(str(row['_id']))}" if "_id" in row else ""
        cells = "".join(_element(tag, row[name], "") for name, tag in self._elements.items())
        return f"<row{mark}>{cells}</row>\n"


def _element(tag: str, value: Any, mark: str) -> str:
    if value is None:
        return f'<{tag} xsi:nil="true"{mark} />'
    if isinstance(value, list | dict):
        entries = enumerate(value) if isinstance(value, list) else value.items()
        inner = "".join(_element("value", part, f" key={quoteattr(_plain(key))}") for key, part in entries)
    else:
        inner = escape(_plain(value))
    return f"<{tag}{mark}>{inner}</{tag}>" if inner else f"<{tag}{mark} />"


def _plain(value: Any) -> str:
    """Without the signs that no XML may hold."""
    return _NO_XML.sub("", str(value))


def _elements(names: Iterator[str]) -> dict[str, str]:
    """Names of columns as names of elements, each its own."""
    found: dict[str, str] = {}
    for name in names:
        tag = re.sub(r"^(\d*xml\d*|\d+)", "", unicodedata.normalize("NFC", name), flags=re.I)
        tag = re.sub(r"^[\d.-]+", "", re.sub(r"[^\w_.-]", "", re.sub(r"\s+", "_", tag))) or "column"
        number, free = 0, tag
        while free in found.values():
            free, number = f"{tag}_{number}", number + 1
        found[name] = free
    return found


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _failed(error: ActionError) -> Response:
    status = 404 if error.status in (403, 404) else 400 if error.status == 409 else error.status
    texts = [
        f"{name}: {' '.join(map(str, text)) if isinstance(text, list) else text}"
        for name, text in error.body.items()
        if name not in ("__type", "info")
    ]
    text = "DataStore resource not found" if status == 404 else "\n".join(texts)
    return Response(text, status, {"Vary": "Authorization"}, "text/plain; charset=utf-8")
