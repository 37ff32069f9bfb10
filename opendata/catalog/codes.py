"""Licences, themes and other code lists, and what stands for ours in international ones: data in `catalog_schemas/`, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from opendata.settings import Settings

MOST_DAYS = 60
EU = "http://publications.europa.eu/resource/authority/"
IANA = "https://www.iana.org/assignments/media-types/"


@dataclass(frozen=True)
class Licence:
    id: str
    title: str
    title_en: str
    url: str
    eu_uri: str
    """The EU licence table's address for it, or empty."""
    open: bool


@dataclass(frozen=True)
class Theme:
    code: str
    title: str
    title_en: str
    eu_uri: str


@dataclass(frozen=True)
class CodeList:
    """A national code list of one edition, with what was in earlier ones."""

    title: str
    title_en: str
    edition: str
    """The day, or the year, as of which it holds."""
    codes: Mapping[str, str]
    """{code: name}"""
    retired: Mapping[str, Mapping[str, str]]
    """{code: {name, until, successor}}; the last two where they are known."""


@dataclass(frozen=True)
class ReviewDeadlines:
    """Working days in which both reviews are due."""

    working_days: int
    bodies: Mapping[str, int]
    """Other numbers for bodies, by their names."""

    def __post_init__(self) -> None:
        wrong = [days for days in (self.working_days, *self.bodies.values()) if not 1 <= days <= MOST_DAYS]
        if wrong:
            raise ValueError(f"review_deadlines.json: 1 to {MOST_DAYS} working days, not {wrong[0]}")

    def days(self, body: str) -> int:
        return self.bodies.get(body, self.working_days)


@dataclass(frozen=True)
class Codes:
    licences: Mapping[str, Licence]
    themes: Mapping[str, Theme]
    labels: Mapping[str, Mapping[str, Mapping[str, str]]]
    """{list: {code: {zh, en}}} for openness, update_cycle, domain, …"""
    regions: Mapping[str, str]
    """GB/T 2260 code: name."""
    table_schemas: Mapping[str, Mapping[str, Any]]
    """Ready Table Schemas by name, each in its newest version."""
    schema_versions: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """{name: {version: Table Schema}}, the newest version first. A version that was given out is never changed."""
    light_fields: frozenset[str]
    """Metadata that a correction may change on the light path (one review)."""
    review_deadlines: ReviewDeadlines
    lists: Mapping[str, CodeList]
    """National code lists by the name of their check: gbt2260, gbt4754."""

    def label(self, list_name: str, code: str, language: str) -> str:
        """The code's label in that language, or the code."""
        return self.labels.get(list_name, {}).get(code, {}).get(language, code)

    def table_schema(self, reference: str) -> Mapping[str, Any] | None:
        """The ready Table Schema that `name` (the newest version) or `name/version` means."""
        name, _, version = reference.partition("/")
        versions = self.schema_versions.get(name, {})
        return versions.get(version) if version else next(iter(versions.values()), None)


@cache
def codes() -> Codes:
    return load(Settings.from_env().catalog_schemas)


def load(folder: Path) -> Codes:
    """Reads a folder of code lists. Raises OSError or ValueError for a folder that is not one."""
    licences = [Licence(**entry) for entry in _read(folder / "licences.json")]
    themes = [Theme(**entry) for entry in _read(folder / "themes.json")]
    versions = _versions(folder / "tables")
    return Codes(
        licences={licence.id: licence for licence in licences},
        themes={theme.code: theme for theme in themes},
        labels=_read(folder / "labels.json"),
        regions=_read(folder / "regions.json"),
        table_schemas={name: next(iter(known.values())) for name, known in versions.items()},
        schema_versions=versions,
        light_fields=frozenset(_read(folder / "light_path.json")),
        review_deadlines=ReviewDeadlines(**_read(folder / "review_deadlines.json")),
        lists={path.stem: _list(_read(path)) for path in sorted((folder / "codelists").glob("*.json"))},
    )


def _versions(folder: Path) -> dict[str, dict[str, Any]]:
    """The schemas of `DOMAIN/NAME@VERSION.json`, versions in falling order."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*/*@*.json")):
        name, _, version = path.stem.partition("@")
        found.setdefault(name, {})[version] = _read(path)
    return {
        name: dict(sorted(known.items(), key=lambda item: version_number(item[0]), reverse=True))
        for name, known in sorted(found.items())
    }


def version_number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _list(read: Mapping[str, Any]) -> CodeList:
    return CodeList(read["title"], read["title_en"], read["edition"], read["codes"], read["retired"])


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Vocabulary:
    """`catalog_schemas/vocabularies.json`."""

    file_types: frozenset[str]
    formats: Mapping[str, str]
    written: Mapping[str, str]
    """{format in capitals, or EU file type: as people write it}, where that is another writing."""
    media_types: frozenset[str]
    media_types_of: Mapping[str, str]
    update_cycle: Mapping[str, str]
    openness: Mapping[str, str]
    language: Mapping[str, str]

    def file_type(self, written: str) -> str | None:
        """The EU file type of a format as people write it."""
        code = written.strip().lstrip(".").upper()
        code = self.formats.get(code, code)
        return code if code in self.file_types else None

    def customary(self, said: str) -> str:
        """A format or an EU file type as people write it: GeoJSON, Parquet. One that has no writing of its own stays."""
        return self.written.get(said.upper(), said)

    def media_type(self, claimed: str, file_type: str | None) -> str | None:
        """An IANA media type: the claimed one if it is registered, else the one of the format."""
        kind = claimed.partition(";")[0].strip().lower()
        if kind in self.media_types and kind != "application/octet-stream":
            return kind
        return self.media_types_of.get(file_type or "")


@cache
def vocabulary() -> Vocabulary:
    return _vocabulary(Settings.from_env().catalog_schemas / "vocabularies.json")


def _vocabulary(path: Path) -> Vocabulary:
    data = _read(path)
    kinds = data["media_types"]
    return Vocabulary(
        file_types=frozenset(data["file_types"].split()),
        formats=data["formats"],
        written=data["written"],
        media_types=frozenset(f"{top}/{sub}" for top, subs in kinds.items() for sub in subs.split()),
        media_types_of=data["media_types_of"],
        update_cycle=data["update_cycle"],
        openness=data["openness"],
        language=data["language"],
    )
