"""A platform above that took some records and refused others: what the pages of upward reporting show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opendata.ports.fetcher.guarded import GuardedFetcher
from tests.support.province import TOKEN, province


def reported(office: Any, settle: Callable[[], None]) -> dict[str, str]:
    """Paths by page type. Whatever is public is reported; long titles are refused there."""
    office.admin.patch("/agencies/housing", json={"uscc": "113206000143000121"})
    with province() as above:
        office.app.reporter.fetcher = GuardedFetcher([above.place])
        made = office.admin.post(
            "/reporting/targets",
            json={"name": "province", "url": above.url, "map": "sszd", "options": {"org_path": "江苏省/南通市"}, "secret": TOKEN, "pause": 0, "schedule": "daily 03:00"},
        )  # fmt: skip
        assert made.status_code == 201, made.text
        target = made.json()["id"]

        def push(**how: bool) -> str:
            asked = office.admin.post(f"/reporting/targets/{target}/pushes", json=how)
            assert asked.status_code == 202, asked.text
            settle()
            return f"/console/reporting/pushes/{asked.json()['id']}"

        plan, done = push(dry_run=True), push()
    return {
        "root:platforms above": "/console/reporting", "root:new platform above": "/console/reporting/new",
        "root:platform above": f"/console/reporting/{target}", "root:difference upward": plan, "root:report upward": done,
    }  # fmt: skip
