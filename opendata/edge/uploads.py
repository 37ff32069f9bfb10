"""Uploads as they stream in: multipart forms and raw bodies, straight into a store's writer.

Nothing is spooled here: bytes are gathered into blocks of about 1 MiB, and each block is written by a thread while the
event loop serves others; the next bytes are asked of the client only when the block is written, so a slow store slows
the client down and memory stays flat. A client that goes away, and any error, drops what was written.

The caller must have been let in before (`http.authorize`), on a work that is closed: see http.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from anyio import CancelScope
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from opendata.core.canonical import sha256_json
from opendata.core.errors import Invalid, TooLarge, invalid
from opendata.ports.storage.port import CHUNK, HashMismatch, ObjectWriter, StoredObject

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks  # the library has it for type checkers only

OpenWriter = Callable[[], ObjectWriter]
"""Opens a writer with the store's own limit: `partial(storage.writer, limit=…)`."""

MAX_FIELD_BYTES = 1 << 20
MAX_FIELDS = 200


@dataclass(frozen=True)
class ReceivedFile:
    filename: str
    """As the client wrote it: `core.names.clean_file_name` before it is kept."""
    content_type: str
    """The client's claim; never served."""
    stored: StoredObject


@dataclass
class ReceivedForm:
    fields: dict[str, str | list[str]] = field(default_factory=dict)
    """A field that is repeated is a list."""
    files: dict[str, ReceivedFile] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Stands for the body under an Idempotency-Key: the fields, and the names and hashes of the files."""
        files = {name: [file.filename, file.stored.sha256] for name, file in self.files.items()}
        return sha256_json({"fields": self.fields, "files": files})


async def receive(
    request: Request,
    open_writer: OpenWriter,
    *,
    file_field: str | None,
    limit: int,
    max_field_bytes: int = MAX_FIELD_BYTES,
    max_fields: int = MAX_FIELDS,
) -> ReceivedForm:
    """The whole form, its file in the store (durable, not yet a row). `limit`: bytes of the whole body.

    Only the field `file_field` may be a file (None: any name, still one file a name). Errors: `Invalid` with
    `not_multipart`, `form_broken`, `upload_incomplete` (cut short), `unexpected_file`; `TooLarge` with `file_too_large`,
    `field_too_large`, `too_many_fields`; the store's `NoSpace` and `Unavailable`. After any of them nothing is stored.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit + max_field_bytes:
        raise TooLarge("file_too_large", limit=limit)
    form = _Form(open_writer, file_field, max_field_bytes, max_fields)
    parser = _parser(request, form)
    try:
        async for chunk in _body(request, limit + max_field_bytes):
            for start in range(0, len(chunk), CHUNK):
                _feed(parser, chunk[start : start + CHUNK])
                await form.settle(CHUNK)
        if not form.ended:
            raise Invalid("upload_incomplete")
        await form.settle(0)
    except BaseException:
        with CancelScope(shield=True):  # also when the server is stopping
            await run_in_threadpool(form.drop)
        raise
    return form.received


async def receive_raw(
    request: Request, open_writer: OpenWriter, limit: int, *, expected_sha256: str | None = None
) -> StoredObject:
    """The body as one object. `TooLarge("file_too_large")`, `Invalid("upload_incomplete")`, the store's errors."""
    writer = await run_in_threadpool(open_writer)
    try:
        block = bytearray()
        async for chunk in _body(request, limit):
            block += chunk
            if len(block) >= CHUNK:
                await run_in_threadpool(writer.write, bytes(block))
                block.clear()
        if block:
            await run_in_threadpool(writer.write, bytes(block))
        return await run_in_threadpool(writer.commit, expected_sha256)
    except BaseException:
        with CancelScope(shield=True):
            await run_in_threadpool(writer.abort)
        raise


async def _body(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body's pieces. Ends only if the body is whole."""
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Invalid("upload_incomplete")
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise TooLarge("file_too_large", limit=limit)
        if piece:
            yield piece
        if not message.get("more_body", False):
            return


@dataclass
class _Part:
    """The part that is being read: its headers, then a field's bytes or a file's writer."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    filename: str | None = None
    content_type: str = ""
    writer: ObjectWriter | None = None


class _Form:
    """What the parser has found. The parser calls in the event loop and may not block, so work for threads is put
    on a list, and done by `settle` before more bytes are taken."""

    def __init__(
        self, open_writer: OpenWriter, file_field: str | None, max_bytes: int, max_fields: int
    ) -> None:
        self.received = ReceivedForm()
        self.ended = False
        self._open = open_writer
        self._file_field = file_field
        self._max_bytes, self._max_fields = max_bytes, max_fields
        self._part = _Part()
        self._block = bytearray()
        self._todo: list[Callable[[], Any]] = []
        self._writers: list[ObjectWriter] = []
        self._file_names: set[str] = set()
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._count = 0

    async def settle(self, keep: int) -> None:
        """Does what is waiting, in one trip to a thread. A block under `keep` bytes may wait."""
        if self._part.filename is not None and len(self._block) >= max(keep, 1):
            self._cut()
        if self._todo:
            todo, self._todo = self._todo, []
            await run_in_threadpool(_do_all, todo)

    def drop(self) -> None:
        """Lets go of what was begun. Objects of earlier parts that are whole stay: no row names them, the sweep takes them."""
        self._todo.clear()
        for writer in self._writers:
            writer.abort()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": lambda data, start, end: self._data(memoryview(data)[start:end]),
            "on_part_end": self._end,
            "on_end": self._all_read,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > self._max_fields:
            raise TooLarge("too_many_fields", limit=self._max_fields)
        self._part = _Part()
        self._block = bytearray()

    def _header_end(self) -> None:
        name, value = self._header
        self._part.headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _headers_finished(self) -> None:
        part = self._part
        disposition, options = parse_options_header(part.headers.get(b"content-disposition"))
        if disposition != b"form-data" or b"name" not in options:
            raise Invalid("form_broken")
        part.name = _text(options[b"name"])
        part.content_type = part.headers.get(b"content-type", b"").decode("latin-1")[:100]
        if not options.get(b"filename"):  # a form's file input that was left empty has an empty name
            return
        part.filename = _text(options[b"filename"])
        if part.name in self._file_names or self._file_field not in (None, part.name):
            raise invalid(part.name[:100], "unexpected_file", expected=self._file_field or "")
        self._file_names.add(part.name)
        self._todo.append(partial(self._open_for, part))

    def _data(self, piece: memoryview) -> None:
        self._block += piece
        if self._part.filename is None and len(self._block) > self._max_bytes:
            raise TooLarge("field_too_large", field=self._part.name[:100], limit=self._max_bytes)

    def _end(self) -> None:
        part = self._part
        if part.filename is not None:
            self._cut()
            self._todo.append(partial(self._commit, part))
            return
        value, fields = _text(bytes(self._block)), self.received.fields
        if "\0" in value:
            raise invalid(part.name[:100], "null_character")
        before = fields.get(part.name)
        fields[part.name] = (
            value if before is None else [*([before] if isinstance(before, str) else before), value]
        )

    def _cut(self) -> None:
        """The gathered block goes to the writer."""
        if self._block:
            block, self._block = bytes(self._block), bytearray()
            self._todo.append(partial(_write, self._part, block))

    def _open_for(self, part: _Part) -> None:
        part.writer = self._open()
        self._writers.append(part.writer)

    def _commit(self, part: _Part) -> None:
        if part.writer is not None:
            stored = part.writer.commit()
            self.received.files[part.name] = ReceivedFile(part.filename or "", part.content_type, stored)

    def _all_read(self) -> None:
        self.ended = True


def _do_all(todo: list[Callable[[], Any]]) -> None:
    for step in todo:
        step()


def _write(part: _Part, block: bytes) -> None:
    if part.writer is not None:
        part.writer.write(block)


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("form_not_utf8", byte=error.start) from None


def _parser(request: Request, form: _Form) -> MultipartParser:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise Invalid("not_multipart")
    try:
        return MultipartParser(boundary, form.callbacks())
    except FormParserError:
        raise Invalid("form_broken") from None


def _feed(parser: MultipartParser, piece: bytes) -> None:
    try:
        parser.write(piece)
    except FormParserError:
        raise Invalid("form_broken") from None


class Gathered:
    """An `ObjectWriter` for one small file of at most `limit` bytes that is looked at once and kept nowhere. Its bytes are
    `data`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()
        self.size = 0

    @property
    def data(self) -> bytes:
        return bytes(self._data)

    def open(self) -> Gathered:
        """For `uploads.receive`, which opens its writer when the file begins."""
        return self

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge("file_too_large", limit=self._limit)
        self._data += chunk

    def commit(self, expected_sha256: str | None = None) -> StoredObject:
        found = hashlib.sha256(self._data).hexdigest()
        if expected_sha256 not in (None, found):
            raise HashMismatch(found)
        return StoredObject(found, self.size, datetime.now(UTC))

    def abort(self) -> None:
        """Nothing is kept anywhere."""


def described(file_needed: bool = True, /, **fields: Mapping[str, Any]) -> dict[str, Any]:
    """A multipart form with one `file`, and these other fields, as OpenAPI says it."""
    properties = {"file": {"type": "string", "format": "binary"}, **fields}
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    needed = {"required": ["file"]} if file_needed else {}
    return {"multipart/form-data": {"schema": schema | needed}}
