"""A source that was planned, harvested and then lost most of its records, and a webhook: what their pages show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendata.ports.fetcher.guarded import GuardedFetcher
from tests.support.mini_ckan import MiniCkan, package
from tests.support.remote_site import remote_site


def harvested(office: Any, settle: Callable[[], None], title: str) -> dict[str, str]:
    """Paths by page type; every dataset has that long title."""
    with remote_site() as site:
        office.app.harvester.fetcher = GuardedFetcher([site.place])
        ckan = MiniCkan(site, [package(f"set-{n}", f"{title}{n}") for n in range(8)])
        ckan.packages.append({**package("broken"), "id": 7})
        made = office.admin.post(
            "/harvest/sources",
            json={"agency": "housing", "name": "county", "kind": "ckan", "url": site.url, "schedule": "daily 03:00", "trusted": True, "trust_reason": title},
        )  # fmt: skip
        assert made.status_code == 201, made.text
        source = made.json()["id"]

        def run(**how: bool) -> str:
            asked = office.editor.post(f"/harvest/sources/{source}/runs", json=how)
            assert asked.status_code < 300, asked.text
            settle()
            return f"/console/harvest/runs/{asked.json()['id']}"

        plan, done = run(dry_run=True), run()
        del ckan.packages[1:]
        held = run()
    hook = office.admin.post("/webhooks", json={"url": "https://example.org/hook/" + "long/" * 40})
    assert hook.status_code == 201, hook.text
    found = office.client.get("/api/v1/search", params={"q": "set-0"}).json()["results"]
    return {
        "root:sources": "/console/harvest", "root:new source": "/console/harvest/new", "root:source": f"/console/harvest/{source}",
        "editor:plan of a harvest": plan, "editor:report of a harvest": done, "editor:held harvest": held,
        "root:webhooks": "/console/webhooks", "root:webhook": f"/console/webhooks/{hook.json()['id']}",
        "harvested dataset": f"/dataset/{found[0]['name']}",
    }  # fmt: skip
