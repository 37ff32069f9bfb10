"""HTTP/1.1 as uvicorn speaks it, on time and within bounds."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10
"""A client has so long to send its headers."""
MAX_HEADER_BYTES = 64 << 10
"""Of the first line and the headers together; what arrives with one read is not counted."""
BODY_SECONDS = 60
"""So long may a body stand still, unless it is we who do not read."""


class PunctualProtocol(HttpToolsProtocol):
    """Hangs up on a client that does not finish its headers or its body, or whose headers have no end: uvicorn alone
    would wait, and keep them, for ever."""

    _deadline: asyncio.TimerHandle | None = None
    _body: asyncio.TimerHandle | None = None
    _heard_at = 0.0
    _header_bytes = 0
    _between = True
    """Whether the next bytes begin a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relax()
        self._body_ended()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._between:
            data = percent_encoded(data)
        self._heard_at = self.loop.time()
        super().data_received(data)
        if self._deadline is not None:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._relax()
                self.transport.write(
                    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\r\n"
                )
                self.transport.close()

    def on_message_complete(self) -> None:
        self._body_ended()
        super().on_message_complete()
        self._between = True

    def on_message_begin(self) -> None:
        self._between = False
        super().on_message_begin()
        self._expect_headers()

    def on_headers_complete(self) -> None:
        self._relax()
        self._body = self.loop.call_later(BODY_SECONDS, self._look_for_body)
        super().on_headers_complete()

    def _look_for_body(self) -> None:
        left = self._heard_at + BODY_SECONDS - self.loop.time()
        if left <= 0 and not self.flow.read_paused:
            self.transport.abort()
        else:
            self._body = self.loop.call_later(left if left > 0 else BODY_SECONDS, self._look_for_body)

    def _body_ended(self) -> None:
        if self._body is not None:
            self._body.cancel()
            self._body = None

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _relax(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline, self._header_bytes = None, 0


def percent_encoded(data: bytes) -> bytes:
    """The bytes of a request with its first line in ASCII, as RFC 3986 writes it: `curl '…?q=街道'` and many scripts send
    UTF-8 as it is, and a strict parser would answer 400 without a word."""
    line, end, rest = data.partition(b"\r\n")
    if line.isascii():
        return data
    return b"".join(bytes((b,)) if b < 0x80 else b"%%%02X" % b for b in line) + end + rest
