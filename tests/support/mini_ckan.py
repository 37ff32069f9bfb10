"""A CKAN as far as a harvest sees it: `package_search` of CKAN 2.12, with its words and its pages, over datasets of a test."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.support.remote_site import Answer, Asked, RemoteSite, as_json

SEARCH = "/api/3/action/package_search"


def package(key: str, title: str = "", **fields: Any) -> dict[str, Any]:
    """As CKAN 2.12 gives it; `key` makes its id."""
    package_id = str(uuid.uuid5(uuid.NAMESPACE_URL, key))
    resources = fields.pop("resources", [resource(key)])
    return {
        "author": None, "author_email": None, "creator_user_id": str(uuid.uuid5(uuid.NAMESPACE_URL, "who")), "id": package_id,
        "isopen": True, "license_id": "cc-by", "license_title": "Creative Commons Attribution",
        "license_url": "http://www.opendefinition.org/licenses/cc-by", "maintainer": None,
        "maintainer_email": "data@remote.example", "metadata_created": "2026-10-01T08:00:00.123456",
        "metadata_modified": "2026-11-01T08:00:00.123456", "name": key, "notes": f"About {key}.",
        "num_resources": len(resources), "num_tags": 1, "organization": {"name": "remote", "title": "Remote"},
        "owner_org": str(uuid.uuid5(uuid.NAMESPACE_URL, "org")), "private": False, "state": "active",
        "title": title or f"Dataset {key}", "type": "dataset", "url": "", "version": None,
        "extras": [{"key": "frequency", "value": "monthly"}], "groups": [], "resources": resources,
        "tags": [{"display_name": "water", "id": "x", "name": "water", "state": "active", "vocabulary_id": None}],
        "relationships_as_subject": [], "relationships_as_object": [], **fields,
    }  # fmt: skip


def resource(key: str, **fields: Any) -> dict[str, Any]:
    return {
        "cache_last_updated": None, "cache_url": None, "created": "2026-10-01T08:00:00.200000", "datastore_active": False,
        "description": None, "format": "CSV", "hash": "", "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"r:{key}")),
        "last_modified": "2026-10-02T08:00:00.200000", "mimetype": "text/csv", "name": f"{key}.csv",
        "position": 0, "resource_type": None, "size": None, "state": "active",
        "url": f"https://data.remote.example/{key}.csv", "url_type": None, **fields,
    }  # fmt: skip


@dataclass
class MiniCkan:
    """`fault`: answers in place of the page that begins there (the first is 0)."""

    site: RemoteSite
    packages: list[dict[str, Any]] = field(default_factory=list)
    fault: dict[int, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.site.pages[SEARCH] = self._search

    def _search(self, asked: Asked) -> Answer:
        start, rows = int(asked.query["start"]), int(asked.query["rows"])
        if start in self.fault:
            return self.fault[start]
        found = sorted(self.packages, key=lambda one: str(one["id"]) if isinstance(one, dict) else "")
        result = {
            "count": len(found), "sort": asked.query["sort"], "facets": {}, "search_facets": {},
            "results": found[start : start + rows],
        }  # fmt: skip
        return as_json({"help": f"{self.site.url}/api/3/action/help_show", "success": True, "result": result})
