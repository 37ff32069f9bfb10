"""Where things are on this site, and what a feed names by address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from opendata.feeds.graph import Iri
from opendata.settings import Settings

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
