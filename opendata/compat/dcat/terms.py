"""Where things are on this site, and which code of the international lists stands for ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from opendata.compat.dcat.graph import Iri
from opendata.settings import Settings

EU = "http://publications.europa.eu/resource/authority/"
IANA = "https://www.iana.org/assignments/media-types/"
SHA256 = Iri("http://spdx.org/rdf/terms#checksumAlgorithm_sha256")
DCAT_AP = Iri("http://data.europa.eu/r5r/")


@dataclass(frozen=True)
class Site:
    """Every address of a feed comes from here: from the settings, never from the request."""

    url: str
    title: str
    title_zh: str

    @classmethod
    def of(cls, settings: Settings) -> Site:
        return cls(settings.site_url, settings.site_title, settings.site_title_zh)

    @property
    def catalogue(self) -> str:
        return f"{self.url}/catalog"

    def term(self, kind: str, code: str) -> str:
        """A code of a local list: `…/catalog#region-320600`."""
        return f"{self.catalogue}#{kind}-{quote(code, safe='', errors='ignore')}"

    def agency(self, agency_id: str) -> str:
        return f"{self.url}/agency/{agency_id}"

    def dataset(self, dataset_id: str) -> str:
        return f"{self.url}/dataset/{dataset_id}"

    def resource(self, dataset_id: str, resource_id: str) -> str:
        return f"{self.url}/dataset/{dataset_id}/resource/{resource_id}"

    def page(self, language: str, name: str) -> str:
        """The dataset's page on the portal."""
        return f"{self.url}/{language}/dataset/{name}"

    def download(self, resource_id: str) -> str:
        """Stays the same over releases: harvesters match by it."""
        return f"{self.url}/api/v1/resources/{resource_id}/download"

    def rows(self, resource_id: str) -> str:
        return f"{self.url}/api/v1/resources/{resource_id}/rows"

    def schema(self, name: str) -> str:
        return f"{self.url}/api/v1/schemas/{quote(name, errors='ignore')}"


@dataclass(frozen=True)
class Vocabulary:
    """`catalog_schemas/vocabularies.json`."""

    file_types: frozenset[str]
    formats: Mapping[str, str]
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

    def media_type(self, claimed: str, file_type: str | None) -> str | None:
        """An IANA media type: the claimed one if it is registered, else the one of the format."""
        kind = claimed.partition(";")[0].strip().lower()
        if kind in self.media_types and kind != "application/octet-stream":
            return kind
        return self.media_types_of.get(file_type or "")


@cache
def vocabulary() -> Vocabulary:
    return load(Settings.from_env().catalog_schemas / "vocabularies.json")


def load(path: Path) -> Vocabulary:
    data = json.loads(path.read_text(encoding="utf-8"))
    kinds = data["media_types"]
    return Vocabulary(
        file_types=frozenset(data["file_types"].split()),
        formats=data["formats"],
        media_types=frozenset(f"{top}/{sub}" for top, subs in kinds.items() for sub in subs.split()),
        media_types_of=data["media_types_of"],
        update_cycle=data["update_cycle"],
        openness=data["openness"],
        language=data["language"],
    )
