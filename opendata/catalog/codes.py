"""Licences, themes and other code lists: data in `catalog_schemas/`, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from opendata.settings import Settings


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

    def pinned(self, reference: str) -> str:
        """The same schema by `name/version`, so that a later version does not take its place; empty if there is none."""
        found = self.table_schema(reference)
        return f"{reference.partition('/')[0]}/{found['x-version']}" if found else ""


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
        lists={path.stem: _list(_read(path)) for path in sorted((folder / "codelists").glob("*.json"))},
    )


def _versions(folder: Path) -> dict[str, dict[str, Any]]:
    """The schemas of `DOMAIN/NAME@VERSION.json`, versions in falling order."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*/*@*.json")):
        name, _, version = path.stem.partition("@")
        found.setdefault(name, {})[version] = _read(path)
    return {
        name: dict(sorted(known.items(), key=lambda item: _number(item[0]), reverse=True))
        for name, known in sorted(found.items())
    }


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _list(read: Mapping[str, Any]) -> CodeList:
    return CodeList(read["title"], read["title_en"], read["edition"], read["codes"], read["retired"])


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
