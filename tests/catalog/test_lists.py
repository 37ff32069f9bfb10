"""Lists of what is public read indexes, however many datasets there are. What is pinned is how they are read, not how fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient
from statements import statements

from opendata.core.ids import new_id

LARGE = {"dataset", "release", "resource", "resource_version", "resource_table", "inventory_line", "file"}
"""Tables that grow with the catalogue."""
PAGES = (
    "/catalog.ttl?page=2",
    "/catalog.ttl?page=3&after={id}",
    "/catalog.ttl?modified_since=2020-01-01",
    "/feed.atom",
    "/agency/housing.atom",
    "/data.json",
    "/sitemap.xml",
    "/sitemap-1.xml",
    "/zh/",
    "/zh/agency",
    "/zh/agency/housing?page=2",
    "/zh/about",
    "/zh/inventory",
    "/api/v1/datasets?offset=20",
    "/api/v1/datasets?agency=housing&offset=20",
    "/api/v1/inventory?offset=20",
    "/api/v1/inventory?agency=housing",
    "/api/v1/inventory?openness=unconditional",
    "/api/3/action/package_list",
    "/api/3/action/organization_list?all_fields=true",
    "/api/3/action/organization_show?id=housing",
)


def whole_tables(engine: Engine, statement: str, parameters: Any) -> list[str]:
    """The steps of the plan that read all rows of a large table, and not only an index of what is public."""
    if not statement.startswith("SELECT"):
        return []
    with engine.connect() as connection:
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    scans = [step for step in steps if step.startswith("SCAN ") and step.split()[1] in LARGE]
    return [step for step in scans if " INDEX ix_" not in step]


@pytest.mark.parametrize("settings", ["light"], indirect=True)
@pytest.mark.parametrize("path", PAGES)
def test_no_page_reads_a_whole_table(
    office: Any, client: TestClient, settle: Callable[[], None], path: str
) -> None:
    dataset = office.draft()
    office.upload(dataset["id"], b"a,b\n1,2\n")
    office.publish(dataset["id"], settle)
    engine = office.app.place._reading
    with statements(engine) as sent:
        assert client.get(path.format(id=new_id())).status_code in (200, 404)
    assert sent
    assert [(found, s) for s, p in sent if (found := whole_tables(engine, s, p))] == []
