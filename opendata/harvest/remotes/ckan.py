"""A CKAN, by its Action API: `package_search` from page to page, ordered so that changes meanwhile shift none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from pydantic import BaseModel, ConfigDict, Field

from opendata.harvest.ckan_words import (
    BOX_EXTRA,
    DATASET_TEXTS,
    FIELD_EXTRAS,
    LIST_EXTRAS,
    RESOURCE_TEXTS,
    box,
)
from opendata.harvest.record import Asking, Record, Refused, RemoteResource, SourceBroken

_HERE_ALONE = frozenset({"landing_page", "kind"})
"""Texts of a dataset that mean something at the remote only, or are checked on their own."""
_NO_EXTRA = re.compile(r"harvest_.*|identifier|publisher_id|issued|uri|guid")
"""Extras that other machines left, or that tell what `Record` tells."""
_SHA256 = re.compile(r"(?:sha-?256:)?([0-9a-f]{64})", re.IGNORECASE)


class Options(BaseModel):
    """What an administrator may set for a source of this kind."""

    model_config = ConfigDict(extra="forbid")

    fq: str = Field("", max_length=2000, description="A filter as CKAN's search has it: organization:x")
    rows: int = Field(500, ge=1, le=1000, description="Datasets a page")


def gather(asking: Asking) -> Iterator[Record | Refused]:
    options = Options.model_validate(asking.options)
    start = 0
    while True:
        packages, count = _page(asking, options, start)
        yield from (_record(package, _site(asking)) for package in packages)
        start += len(packages)  # a site may give less than is asked for
        asking.progress(start, count)
        if start >= count:
            return
        if not packages:
            raise _foreign(asking, f"{start} of {count} datasets")


def _site(asking: Asking) -> str:
    return asking.url.rstrip("/")


def _page(asking: Asking, options: Options, start: int) -> tuple[list[Any], int]:
    asked = {"rows": options.rows, "start": start, "sort": "id asc"}
    query = urlencode(asked | ({"fq": options.fq} if options.fq else {}))
    token = {"Authorization": asking.secret} if asking.secret else {}
    address = f"{_site(asking)}/api/3/action/package_search?{query}"
    page = asking.get(address, accept="application/json", headers=token)
    try:
        answer = orjson.loads(page.body)
    except orjson.JSONDecodeError:
        raise _foreign(asking, "no JSON") from None
    found = answer.get("result") if isinstance(answer, dict) and answer.get("success") is True else None
    if not isinstance(found, dict):
        raise _foreign(asking, "no result")
    packages, count = found.get("results"), found.get("count")
    if not isinstance(packages, list) or not isinstance(count, int):
        raise _foreign(asking, "no list of datasets")
    return packages, count


def _foreign(asking: Asking, reason: str) -> SourceBroken:
    return SourceBroken("harvest_not_a_catalogue", address=asking.url[:200], reason=reason)


def _record(package: Any, site: str) -> Record | Refused:
    identifier = package.get("id") if isinstance(package, dict) else None
    if not isinstance(identifier, str) or not identifier:
        return Refused("harvest_record_broken", "", {"reason": "no id"})
    if package.get("state", "active") != "active":
        return Record(identifier, deleted=True)
    try:
        extras = {entry["key"]: _text(entry["value"]) for entry in package.get("extras") or ()}
        tags = [_text(tag.get("display_name") or tag["name"]) for tag in package.get("tags") or ()]
        resources = [_resource(entry) for entry in package.get("resources") or ()]
    except (AttributeError, KeyError, TypeError) as error:
        return Refused(
            "harvest_record_broken", identifier, {"reason": f"{type(error).__name__}: {error}"[:200]}
        )
    return Record(
        identifier,
        fields=_fields(package, extras, tags),
        resources=tuple(resources),
        page=f"{site}/dataset/{identifier}",
        name=_text(package.get("name")),
        modified=_moment(package.get("metadata_modified")),
        origin=extras.get("uri") or extras.get("guid", ""),
    )


def _fields(package: Mapping[str, Any], extras: dict[str, str], tags: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        ours: _text(package[theirs])
        for theirs, ours in DATASET_TEXTS.items()
        if package.get(theirs) and ours not in _HERE_ALONE
    }
    fields.setdefault("title", _text(package.get("name", "")))
    fields |= {ours: extras.pop(theirs) for theirs, ours in FIELD_EXTRAS.items() if extras.get(theirs)}
    for theirs, ours in LIST_EXTRAS.items():
        if values := [part.strip() for part in extras.pop(theirs, "").split(",") if part.strip()]:
            fields[ours] = values
    if sides := box(extras.get(BOX_EXTRA, "")):
        fields["bbox"] = sides
        del extras[BOX_EXTRA]
    if tags:
        fields["keywords"] = tags
    if package.get("url"):
        fields["landing_page"] = _text(package["url"])
    if changed := _data_changed(package):
        fields.setdefault("data_updated_on", changed)
    if free := {key: value for key, value in extras.items() if value and not _NO_EXTRA.fullmatch(key)}:
        fields["extras"] = free
    return fields


def _resource(entry: Mapping[str, Any]) -> RemoteResource:
    fields: dict[str, Any] = {
        ours: _text(entry[theirs]) for theirs, ours in RESOURCE_TEXTS.items() if entry.get(theirs)
    }
    if isinstance(entry.get("schema"), dict):
        fields["schema"] = entry["schema"]
    sha256 = _SHA256.fullmatch(_text(entry.get("hash")))
    return RemoteResource(fields, _text(entry.get("id")), sha256[1].lower() if sha256 else "")


def _data_changed(package: Mapping[str, Any]) -> str:
    """The day on which one of its files changed last."""
    moments = [_text(r.get("last_modified") or r.get("created")) for r in package.get("resources") or ()]
    return max(moments, default="")[:10]


def _moment(text: Any) -> datetime | None:
    """CKAN's dates are UTC without saying so."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
