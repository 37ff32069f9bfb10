"""A CKAN that is read by its Action API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from opendata.core.checks import is_web_address
from opendata.core.errors import invalid
from opendata.ports.fetcher.port import Fetched, Fetcher, FetchFailed, FetchLimits, Sink

ANSWER = FetchLimits(size=256 << 20, seconds=120)
PAGE = 100
_TRIES = 3
_PASSING = frozenset({"fetch_refused", "fetch_broken", "fetch_too_slow"})
"""Failures that another try may mend; so may a status of 429 or 5xx."""


class SourceFailed(Exception):
    """The source does not answer, or not as a CKAN does; the text is for the operator."""


class CkanSource:
    """`url`: of the site; `token`: a sysadmin's shows what is private, and people's addresses."""

    def __init__(self, fetcher: Fetcher, url: str, token: str = "", pause: float = 1.0) -> None:
        if not is_web_address(url):
            raise invalid("url", "not_web_address", value=url[:100])
        self.url = url.rstrip("/")
        self.has_token = bool(token)
        self._fetcher, self._pause = fetcher, pause
        self._headers = {"Authorization": token} if token else {}
        self.extensions: frozenset[str] = frozenset()
        """What the site has besides CKAN's core, once it was checked."""

    def check(self) -> None:
        """`SourceFailed` if there is no CKAN."""
        told = self.action("status_show")
        if not isinstance(told, dict):
            raise SourceFailed(f"{self.url} does not answer as a CKAN")
        self.extensions = frozenset(told.get("extensions") or ())

    def action(self, name: str, **arguments: Any) -> Any:
        """The result of an action that has no side effects."""
        query = urlencode({key: _text(value) for key, value in arguments.items()})
        body = bytearray()
        address = f"{self.url}/api/3/action/{name}" + (f"?{query}" if query else "")
        self._get(address, body, ANSWER)
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise SourceFailed(f"{name}: the answer is not JSON") from None
        if not isinstance(answer, dict) or answer.get("success") is not True:
            raise SourceFailed(f"{name}: the answer is not one of a CKAN")
        return answer["result"]

    def file(self, url: str, sink: Sink, limit: int, seconds: float) -> Fetched:
        """The bytes of an upload: tried once, for its sink cannot forget. `FetchFailed`. The token goes to the source alone."""
        inside = urlsplit(url).netloc == urlsplit(self.url).netloc
        return self._fetcher.fetch(url, sink, FetchLimits(limit, seconds), self._headers if inside else None)

    def names(self, action: str) -> Iterator[str]:
        """All names that a list has (`organization_list`, `group_list`), page by page."""
        offset = 0
        while page := self.action(action, limit=1000, offset=offset):
            yield from page
            offset += len(page)

    def packages(self, organizations: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """All datasets that the token shows, or those of some organizations, in the order of their ids, so that changes
        meanwhile shift no page."""
        start = 0
        named = " OR ".join(f'"{name}"' for name in organizations)
        only = {"fq": f"organization:({named})"} if named else {}
        while True:
            found = self.action(
                "package_search",
                rows=PAGE,
                start=start,
                sort="id asc",
                include_private=self.has_token,
                **only,
            )
            yield from found["results"]
            start += PAGE
            if start >= found["count"]:
                return

    def _get(self, address: str, body: bytearray, limits: FetchLimits) -> None:
        for attempt in range(1, _TRIES + 1):
            body.clear()
            try:
                self._fetcher.fetch(address, body.extend, limits, self._headers)
            except FetchFailed as failure:
                if attempt == _TRIES or not _passes(failure.code, failure.params):
                    raise SourceFailed(f"{address[:200]}: {said(failure)}") from None
                time.sleep(self._pause * attempt)
            else:
                return


def said(failure: FetchFailed) -> str:
    """A failure for the report."""
    details = ", ".join(f"{key} {value}" for key, value in failure.params.items())
    return f"{failure.code} ({details})" if details else failure.code


def _passes(code: str, params: Mapping[str, Any]) -> bool:
    status = int(params.get("status", 0))
    return code in _PASSING or status == 429 or status >= 500


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
