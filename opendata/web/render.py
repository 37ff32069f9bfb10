"""Templates to answers: one environment with escaping on, one frame for every page, and what the byte cache may keep."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import RedirectResponse, Response

from opendata.edge import messages
from opendata.edge.http import get_settings
from opendata.web import texts
from opendata.web.forms import Problem, by_field
from opendata.web.http import viewer_of

_HERE = Path(__file__).parent
PRIVATE = {"Cache-Control": "private, no-store"}
DONE = frozenset(
    {"saved", "uploaded", "removed", "submitted", "withdrawn", "discarded", "approved", "rejected", "revoked", "members", "created", "added",
     "password", "waived", "masking", "imported", "withheld", "revealed", "cleaned", "delegated", "delegation_ended", "notices_read",
     "scheduled", "standing", "standing_decided", "row_order", "row_order_decided"}
)  # fmt: skip
"""What `?done=` may say after a form; any other word says nothing."""


@dataclass(frozen=True)
class Asset:
    body: bytes
    media_type: str
    version: str


@cache
def assets() -> Mapping[str, Asset]:
    """The files of `static/` by name, read once."""
    found = {}
    for path in sorted((_HERE / "static").iterdir()):
        body = path.read_bytes()
        kind = mimetypes.types_map.get(path.suffix, "application/octet-stream")
        if kind.startswith("text/"):
            kind += "; charset=utf-8"
        found[path.name] = Asset(body, kind, hashlib.sha256(body).hexdigest()[:12])
    return found


def asset_url(name: str) -> str:
    """The address of a static file; it holds the hash, so browsers may keep it for ever."""
    return f"/static/{name}?v={assets()[name].version}"


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"asset": asset_url, "link": link}
    made.filters |= {
        "size": messages.size,
        "number": texts.number,
        "measure": texts.measure,
        "segment": partial(quote, safe=""),
    }
    return made


def link(path: str, **params: Any) -> str:
    """An address with its query; parameters that are empty are left out, lists are repeated."""
    kept = [
        (name.rstrip("_"), str(value))
        for name, values in params.items()
        for value in (values if isinstance(values, list | tuple) else [values])
        if value not in ("", None)
    ]
    return f"{path}?{urlencode(kept)}" if kept else path


def page(
    request: Request,
    template: str,
    language: str,
    *,
    wrong: Sequence[Problem] = (),
    status: int | None = None,
    public: bool = False,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """A page. `wrong`: what was refused in its form, for the summary (`problems`) and the inputs (`errors`); the page is a
    422 then. `public`: it shows nothing of its reader; kept for everybody if no session was shown."""
    viewer = viewer_of(request)
    status = status or (422 if wrong else 200)
    context |= {"problems": wrong, "errors": by_field(wrong)}
    everybodys = public and viewer.stranger and status == 200 and "done" not in request.query_params
    all_headers = {
        "Content-Language": texts.HTML_LANG[language],
        **({"X-Cache-Tag": "public"} if everybodys else PRIVATE),
        **(headers or {}),
    }
    body = environment().get_template(template).render(_frame(request, language) | context)
    return Response(body, status, all_headers, media_type="text/html")


def see_other(path: str, **params: Any) -> Response:
    """On to a page of ours after a form."""
    return RedirectResponse(link(path, **params), 303, PRIVATE)


def _frame(request: Request, language: str) -> dict[str, Any]:
    settings = get_settings(request)
    viewer = viewer_of(request)
    path = request.url.path
    rest = path[3:] if path[:4] in ("/zh/", "/en/") else "/"
    query = f"?{request.url.query}" if request.url.query else ""
    done = request.query_params.get("done", "")
    return {
        "language": language,
        "html_lang": texts.HTML_LANG[language],
        "root": f"/{language}",
        "site_url": settings.site_url,
        "scored": settings.supervision,
        "planned": settings.plan,
        "site_title": settings.site_title if language == "en" else settings.site_title_zh,
        "translations": {code: f"/{code}{quote(rest)}{query}" for code in messages.LANGUAGES},
        "path": path,
        "viewer": viewer,
        "done": done if done in DONE else "",
        "t": partial(_text, language),
        "has_text": partial(_has, language),
        "state_text": lambda sentence: messages.state_text(texts.in_words(sentence, language), language),
        "type_name": lambda kind: texts.type_name(kind, language),
        "field_name": lambda place: texts.field_name(place, language),
        "day": partial(_with_language, texts.day, language),
        "date": partial(_with_language, texts.calendar_day, language),
        "minute": partial(_with_language, texts.minute, language),
        "label": lambda name, code: texts.label(name, str(code), language),
        "choose": lambda zh, en: texts.choose(zh, en, language),
        "lang_of": lambda content: texts.lang_of(str(content), language),
        "remarks": {},
        "origin": None,
        "field_names": {},
        "place_name": partial(_with_language, texts.harvested_place, language),
    }


def _text(language: str, key: str, **params: object) -> str:
    return texts.text(key, language, **params)


def _has(language: str, key: str) -> bool:
    return texts.has(key, language)


def _with_language(function: Any, language: str, value: Any) -> str:
    found: str = function(value, language)
    return found


@dataclass(frozen=True)
class Pager:
    """Where a list stands: pages from 1."""

    page: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def first(self) -> int:
        return min((self.page - 1) * self.size + 1, self.total)

    @property
    def last(self) -> int:
        return min(self.page * self.size, self.total)

    @property
    def around(self) -> Sequence[int]:
        """Page numbers to offer: first, last, and two on either side; 0 stands for a gap."""
        near = {1, self.pages, *range(max(1, self.page - 2), min(self.pages, self.page + 2) + 1)}
        shown: list[int] = []
        for number in sorted(near):
            if shown and number - shown[-1] > 1:
                shown.append(0)
            shown.append(number)
        return shown
