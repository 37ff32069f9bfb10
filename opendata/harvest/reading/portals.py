"""How one platform of Chinese cities is read: a mapping, which is data (`catalog_schemas/harvest/portals/NAME.json`, or written
into the source's options). A county's platform needs a mapping and no code; `portal_records` applies it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, urlencode, urljoin

from pydantic import BaseModel, ConfigDict, Field

from opendata.harvest.reading.loose import text
from opendata.settings import Settings

Meaning = Literal[
    "title", "description", "department", "category", "industry", "tags", "is_open", "open_condition", "data_volume",
    "publish_time", "update_time", "update_frequency", "contact_name", "telephone", "email", "data_formats", "url",
    "licence", "region", "version", "title_en", "description_en", "temporal_start", "temporal_end",
]  # fmt: skip
"""What a platform's field can mean: the words of the alias table, and some that it has no label for."""
_NAME = re.compile(r"\{([A-Za-z0-9_.]{1,100})\}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(_Strict):
    """`{name}` in a value stands for a field of the record; in the list's for `page`, `size`, `start`; in a header for `secret`."""

    method: Literal["GET", "POST"] = "GET"
    path: str = Field(
        min_length=1, max_length=2000, description="Below the source's address, or a whole address"
    )
    query: dict[str, str] = Field(default_factory=dict, max_length=50)
    form: dict[str, str] = Field(default_factory=dict, max_length=50, description="Of a POST")
    json_body: dict[str, Any] = Field(
        default_factory=dict, max_length=50, description="Of a POST, sent as JSON"
    )
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)
    record: str = Field("", max_length=200, description="Where in the answer the record lies: data")


class ListRequest(Request):
    records: str = Field(min_length=1, max_length=200, description="Where the records lie: data.content")
    total: str = Field("", max_length=200, description="Where their number stands")
    first_page: int = Field(1, ge=0, le=1)
    size: int = Field(50, ge=1, le=1000, description="Records a page")


class Files(_Strict):
    """Which files a record has."""

    records: str = Field(
        min_length=1,
        max_length=200,
        description="Where they lie in the record; `files` holds what the request for files gave",
    )
    name: str = Field("", max_length=200)
    format: str = Field("", max_length=200)
    identifier: str = Field("", max_length=200)
    url: str = Field(
        "", max_length=2000, description="The file's address, with {fields} of it; else its record's page"
    )


class Portal(_Strict):
    title: str = Field(min_length=1, max_length=300)
    list: ListRequest
    detail: Request | None = Field(None, description="One more request a record")
    files: Request | None = Field(None, description="One more request a record, for its files")
    identifier: str = Field(min_length=1, max_length=200, description="The field that names a record")
    page: str = Field("", max_length=2000, description="Where a person reads it, with {fields} of the record")
    fields: dict[str, Meaning] = Field(default_factory=dict, max_length=200, description="{path: meaning}")
    aliases: bool = Field(True, description="What `fields` does not name is looked up in the alias table")
    place: str = Field("", max_length=50, description="Whose own labels count too: jiangsu/xuzhou")
    pairs: str = Field(
        "", max_length=200, description="Where a list of {label, value} lies, for platforms that have one"
    )
    label: str = Field("label", max_length=100)
    value: str = Field("value", max_length=100)
    codes: dict[Meaning, dict[str, str]] = Field(
        default_factory=dict, description="{meaning: {what is sent: ours}}"
    )
    resources: Files | None = None

    def asked(self, request: Request, base: str, known: Mapping[str, Any], secret: str) -> Asked:
        """The address, headers and body of a request."""
        filled = {name: fill(value, known) for name, value in request.query.items()}
        url = urljoin(base, fill(request.path, known, escape=True))
        url += f"{'&' if '?' in url else '?'}{urlencode(filled)}" if filled else ""
        headers = {name: value.replace("{secret}", secret) for name, value in request.headers.items()}
        if request.method == "GET":
            return Asked(url, headers, None)
        if request.json_body:
            kind, body = "application/json", json.dumps(_filled(request.json_body, known))
        else:
            kind = "application/x-www-form-urlencoded"
            body = urlencode({name: fill(value, known) for name, value in request.form.items()})
        return Asked(url, {**headers, "Content-Type": kind}, body.encode())


class Asked(NamedTuple):
    url: str
    headers: dict[str, str]
    body: bytes | None


def first(value: Any, path: str) -> str:
    """The first text at a path; empty without a path, and where nothing lies."""
    return next((said for one in at(value, path) if (said := text(one))), "") if path else ""


def fill(template: str, known: Mapping[str, Any], *, escape: bool = False) -> str:
    def value(found: re.Match[str]) -> str:
        said = first(known, found[1])
        return quote(said, safe="") if escape else said

    return _NAME.sub(value, template)


def _filled(value: Any, known: Mapping[str, Any]) -> Any:
    """A number stays one: `"{page}"` alone becomes 1, not "1"."""
    if isinstance(value, dict):
        return {name: _filled(one, known) for name, one in value.items()}
    if not isinstance(value, str):
        return value
    said = fill(value, known)
    return int(said) if _NAME.fullmatch(value) and said.isdigit() else said


def at(value: Any, path: str) -> list[Any]:
    """All that lies at `a.b.c`; lists on the way are gone through, and JSON inside a text is opened (深圳's `dataList`)."""
    found = [value]
    for name in path.split(".") if path else ():
        below = (_opened(one) for one in found)
        found = [
            one[name]
            for below_one in below
            for one in _each(below_one)
            if isinstance(one, dict) and name in one
        ]
    return [one for below_one in found for one in _each(_opened(below_one) if path else below_one)]


def _each(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _opened(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def named(name: str) -> Portal | None:
    """The mapping of that name; None for one that there is not."""
    path = Settings.from_env().catalog_schemas / "harvest" / "portals" / f"{name}.json"
    return Portal.model_validate_json(path.read_bytes()) if path.is_file() else None


def names() -> list[str]:
    return sorted(
        path.stem for path in (Settings.from_env().catalog_schemas / "harvest" / "portals").glob("*.json")
    )
