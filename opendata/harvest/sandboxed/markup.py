"""Pages for people and site maps to plain JSON. Run in the sandbox: the bytes are a stranger's, and nothing in them is run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from opendata.ports.sandbox.port import TaskError

MOST_DATASETS, MOST_SCRIPTS, MOST_ADDRESSES = 100, 50, 50_000
_SITE = "https?://schema.org/|schema:"
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]{2,20})", re.IGNORECASE)


def site_map(path: str) -> dict[str, Any]:
    """`{root, maps, pages}` of a site map or an index of some (sitemaps.org). Errors: TaskError `harvest_unreadable`,
    `harvest_hostile`(what)."""
    found: dict[str, Any] = {"root": "", "maps": [], "pages": []}
    try:
        for event, element in iterparse(Path(path), events=("start", "end"), forbid_dtd=True):
            name = element.tag.rpartition("}")[2]
            if event == "start":
                found["root"] = found["root"] or name[:100]
            elif name in ("url", "sitemap"):
                place = next((c.text or "" for c in element if c.tag.rpartition("}")[2] == "loc"), "").strip()
                into = found["pages" if name == "url" else "maps"]
                if place and len(into) < MOST_ADDRESSES:
                    into.append(place[:2000])
                element.clear()
    except DefusedXmlException:
        raise TaskError("harvest_hostile", what="XML entities") from None
    except ParseError as error:
        raise TaskError("harvest_unreadable", place=f"line {error.position[0]}") from None
    except (ValueError, LookupError):
        raise TaskError("harvest_unreadable", place="encoding") from None
    return found


def datasets(path: str) -> dict[str, Any]:
    """`{datasets, broken}`: the schema.org datasets in a page's JSON-LD, with names of that vocabulary alone; how many of
    its scripts are no JSON. A context is never fetched: what is no schema.org is not looked at."""
    page = _Scripts()
    page.feed(_decoded(Path(path).read_bytes()))
    page.close()
    found: list[dict[str, Any]] = []
    broken = 0
    for script in page.scripts[:MOST_SCRIPTS]:
        try:
            found += _datasets(json.loads(script))
        except (ValueError, RecursionError):
            broken += 1
    return {"datasets": found[:MOST_DATASETS], "broken": broken}


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = next((value or "" for name, value in attrs if name == "type"), "")
        self._inside = tag == "script" and kind.partition(";")[0].strip().lower() == "application/ld+json"
        if self._inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def _decoded(body: bytes) -> str:
    """By the page's own word, else UTF-8, else what Chinese pages without a word are most often in."""
    told = _CHARSET.search(body[:4096])
    for name in filter(None, (told and told[1].decode(), "utf-8", "gb18030")):
        try:
            return body.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("utf-8", errors="replace")


def _datasets(value: Any, vocabulary: bool = False) -> Iterator[dict[str, Any]]:
    """From anywhere in the JSON, also from below a catalogue or a page."""
    if isinstance(value, list):
        for one in value:
            yield from _datasets(one, vocabulary)
    elif isinstance(value, dict):
        vocabulary = _is_schema_org(value["@context"]) if "@context" in value else vocabulary
        kinds = value.get("@type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if vocabulary and any(isinstance(kind, str) and _short(kind) == "Dataset" for kind in kinds):
            yield _shortened(value)
        else:
            yield from _datasets([one for one in value.values() if isinstance(one, dict | list)], vocabulary)


def _is_schema_org(context: Any) -> bool:
    return "schema.org" in json.dumps(context)[:10_000]


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [_shortened(one) for one in value]
    if isinstance(value, dict):
        return {_short(name): _shortened(one) for name, one in value.items()}
    return value


def _short(name: str) -> str:
    return re.sub(f"^({_SITE})", "", name)
