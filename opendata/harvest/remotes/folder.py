"""A folder into which a body drops files: below the site's `OPENDATA_HARVEST_FOLDER`, on a disk, mounted, or in a bucket. Folders
with a `datapackage.json` are datasets with all that it says; other files are datasets by their names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opendata.catalog.profile import DatasetMeta
from opendata.harvest.reading import building, cleaning, words
from opendata.harvest.reading.loose import text, texts, things
from opendata.harvest.record import Asking, Record, Refused, RemoteResource, Sink, SourceBroken
from opendata.ports.storage.drop import Drop, Entry
from opendata.ports.storage.port import ObjectMissing

DESCRIPTOR = "datapackage.json"
LARGEST_DESCRIPTOR = 4 << 20
MOST_FILES = 50_000
_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".crdownload", ".swp")
_NO_DATA = frozenset({"readme.md", "readme.txt", "thumbs.db", "desktop.ini"})
_AS_THEY_STAND = DatasetMeta.model_fields.keys() - {
    "keywords",
    "licence",
    "version",
    "extras",
    "kind",
    "groups",
    "vocabulary_terms",
}
"""Fields of ours that a descriptor may hold beside those of the standard."""


class Options(BaseModel):
    """What an administrator may set for a source of this kind."""

    model_config = ConfigDict(extra="forbid")

    quiet_seconds: int = Field(
        60, ge=0, le=86_400, description="A file that was written later than this is not finished yet"
    )


def gather(asking: Asking) -> Iterator[Record | Refused]:
    options = Options.model_validate(asking.options)
    drop = _drop(asking)
    entries = _entries(asking, drop)
    finished = datetime.now(UTC) - timedelta(seconds=options.quiet_seconds)
    packages = [
        PurePosixPath(one.path).parent for one in entries if PurePosixPath(one.path).name == DESCRIPTOR
    ]
    groups: dict[tuple[str, bool], list[Entry]] = {}
    for entry in entries:
        path = PurePosixPath(entry.path)
        home = max(
            (one for one in packages if one == path.parent or one in path.parents), key=str, default=None
        )
        key = (str(home), True) if home is not None else (str(path.with_suffix("")), False)
        groups.setdefault(key, []).append(entry)
    return _records(asking, drop, groups, finished)


def open_file(asking: Asking, content: str, sink: Sink) -> str:
    """Of a resource: `TAG PATH`."""
    path = content.partition(" ")[2]
    if not PurePosixPath(path).is_relative_to(_folder(asking)):
        raise SourceBroken("harvest_file_gone", path=path[:200])
    try:
        for chunk in _drop(asking).read(path):
            sink(chunk)
    except ObjectMissing:
        raise SourceBroken("harvest_file_gone", path=path[:200]) from None
    return PurePosixPath(path).name


def _drop(asking: Asking) -> Drop:
    if asking.drop is None:
        raise SourceBroken("harvest_no_folder")
    return asking.drop


def _folder(asking: Asking) -> PurePosixPath:
    """The source's address: a path below the site's folder."""
    path = PurePosixPath(asking.url.strip("/"))
    if ".." in path.parts:
        raise SourceBroken("harvest_no_folder")
    return path


def _entries(asking: Asking, drop: Drop) -> list[Entry]:
    found = []
    for entry in drop.entries(str(_folder(asking))):
        path = PurePosixPath(entry.path)
        hidden = any(part.startswith((".", "~$")) for part in path.parts)
        if hidden or path.suffix.lower() in _UNFINISHED or path.name.lower() in _NO_DATA:
            continue
        found.append(entry)
        if len(found) > MOST_FILES:
            raise SourceBroken("harvest_too_many_files", limit=MOST_FILES)
        if len(found) % 1000 == 0:
            asking.progress(len(found))
    if not found:
        raise SourceBroken("harvest_empty", address=asking.url[:200])
    return found


def _records(
    asking: Asking, drop: Drop, groups: Mapping[tuple[str, bool], list[Entry]], finished: datetime
) -> Iterator[Record | Refused]:
    base = _folder(asking)
    for number, ((place, is_package), entries) in enumerate(groups.items(), start=1):
        identifier = str(PurePosixPath(place).relative_to(base)) if place != str(base) else "."
        if any(entry.modified_at > finished for entry in entries):
            yield Refused("harvest_file_unfinished", identifier)
        elif is_package:
            yield _package(drop, identifier, PurePosixPath(place), entries)
        else:
            yield _plain(identifier, entries)
        asking.progress(number, len(groups))


def _plain(identifier: str, entries: Sequence[Entry]) -> Record | Refused:
    """One dataset of the files of one name: `街道.csv` and `街道.xlsx` are two files of it."""
    name = PurePosixPath(identifier).name
    fields = {"title": name.replace("_", " "), "data_updated_on": _day(entries)}
    return building.record(
        identifier,
        fields,
        [_file(one, {}) for one in entries],
        name=cleaning.short_name(name),
        modified=_changed(entries),
    )


def _package(drop: Drop, identifier: str, place: PurePosixPath, entries: Sequence[Entry]) -> Record | Refused:
    by_path = {str(PurePosixPath(one.path).relative_to(place)): one for one in entries}
    try:
        told = _descriptor(drop, by_path[DESCRIPTOR])
    except (ValueError, RecursionError, ObjectMissing):
        return Refused("harvest_record_broken", identifier, {"reason": DESCRIPTOR})
    resources = [_told(one, by_path) for one in things(told.get("resources"))]
    fields = {
        **{name: told[name] for name in _AS_THEY_STAND if name in told},
        "title": text(told.get("title")) or text(told.get("name")),
        "description": text(told.get("description")),
        "keywords": words.keywords(texts(told.get("keywords"))),
        "licence": words.licence(*_licences(told)),
        "update_cycle": words.update_cycle(text(told.get("update_cycle"))),
        "openness": words.openness(text(told.get("openness"))),
        "themes": words.themes(texts(told.get("themes"))),
        "data_updated_on": cleaning.day(text(told.get("data_updated_on"))) or _day(entries),
        "landing_page": cleaning.address(text(told.get("homepage"))),
        "version": text(told.get("version")),
        "author": next((text(one.get("title")) for one in things(told.get("contributors"))), ""),
    }
    return building.record(
        text(told.get("id")) or identifier,
        fields,
        [one for one in resources if one],
        name=cleaning.short_name(text(told.get("name")), PurePosixPath(identifier).name),
        modified=_changed(entries),
    )


def _descriptor(drop: Drop, entry: Entry) -> Mapping[str, Any]:
    if entry.size > LARGEST_DESCRIPTOR:
        raise ValueError(entry.size)
    found = json.loads(b"".join(drop.read(entry.path)).decode("utf-8-sig"))
    if not isinstance(found, dict):
        raise ValueError(type(found))
    return found


def _licences(told: Mapping[str, Any]) -> list[str]:
    named = [text(one.get(key)) for one in things(told.get("licenses")) for key in ("name", "path", "title")]
    return [*texts(told.get("licence")), *filter(None, named)]


def _told(one: Mapping[str, Any], by_path: Mapping[str, Entry]) -> RemoteResource:
    """A file of the folder that the descriptor names, or a link; what is neither is left out of the record."""
    path = text(one.get("path"))
    schema = one.get("schema")
    fields = {
        "name": text(one.get("title")) or text(one.get("name")),
        "description": text(one.get("description")),
        "format": words.file_format(text(one.get("format")), text(one.get("mediatype"))),
        "media_type": text(one.get("mediatype")),
        "schema": schema if isinstance(schema, dict) else None,
    }
    entry = by_path.get(str(PurePosixPath(path))) if path and path != DESCRIPTOR else None
    if entry is None:
        return building.resource({**fields, "url": path}, identifier=text(one.get("name")))
    kind, _, hashed = text(one.get("hash")).rpartition(":")
    return _file(
        entry, fields, identifier=text(one.get("name")), sha256=hashed.lower() if kind == "sha256" else ""
    )


def _file(entry: Entry, fields: Mapping[str, Any], **more: Any) -> RemoteResource:
    path = PurePosixPath(entry.path)
    given = {"name": path.name, "format": words.file_format(path.suffix.lstrip(".").upper())}
    given |= {name: value for name, value in fields.items() if value}
    return building.resource(given, content=f"{entry.tag} {entry.path}", **({"identifier": path.name} | more))


def _changed(entries: Sequence[Entry]) -> datetime:
    return max(entry.modified_at for entry in entries)


def _day(entries: Sequence[Entry]) -> str:
    return cleaning.day(_changed(entries).isoformat())
