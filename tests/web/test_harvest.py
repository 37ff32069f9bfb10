"""The console of harvesting, as people use it without a script: a source, its preview, a run, the decision, the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opendata.ports.fetcher.guarded import GuardedFetcher
from tests.support.mini_ckan import MiniCkan, package, resource
from tests.support.remote_site import remote_site

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
HERE = "/en/console/harvest"
FIELDS = {
    "agency": "housing", "name": "county", "kind": "ckan", "schedule": "daily", "time": "03:00", "limits.pause": "0.5", "gone_after_runs": "3",
    "gone_after_days": "0", "options": '{"rows": 100}', "trusted": "on", "trust_reason": "our own county", "secret": "s3cret",
}  # fmt: skip


@pytest.fixture
def ckan(office: Any) -> Iterator[MiniCkan]:
    with remote_site() as site:
        office.app.harvester.fetcher = GuardedFetcher([site.place])
        yield MiniCkan(site, [package(f"set-{number}") for number in range(8)])


def added(root: Any, ckan: MiniCkan) -> str:
    answer = root.send(f"{HERE}/new", f"{HERE}/new", **FIELDS, url=ckan.site.url)
    assert answer.status_code == 303, answer.text
    path: str = answer.headers["location"].partition("?")[0]
    return path


def test_a_source_its_preview_and_a_run(
    office: Any, browser: Callable[[str], Any], ckan: MiniCkan, settle: Callable[[], None]
) -> None:
    ckan.packages.append(package("hostile", resources=[resource("x", url="javascript:alert(1)")]))
    ckan.packages.append({**package("broken"), "id": 7})
    source = added(browser("root"), ckan)
    editor = browser("editor")
    assert "county" in editor.see(HERE)
    page = editor.see(source)
    assert "Settings of the source" not in page
    run = editor.send(source, source, act="preview").headers["location"]
    settle()
    plan = editor.see(run)
    assert "Plan of a run" in plan
    assert ">Planned<" in plan
    assert "The record cannot be read (no id)" in plan
    assert office.client.get("/api/v1/datasets").json()["total"] == 0
    run = editor.send(source, source, act="run").headers["location"]
    assert "Waiting" in editor.see(run)
    settle()
    report = editor.see(f"{run}?show=created")
    assert "resources.0: The address" not in report
    assert "javascript" not in report.replace("javascript:alert(1)", "")
    assert "set-1" in report
    assert "The record cannot be read" not in report
    assert "The record cannot be read" in editor.see(f"{run}?show=refused")
    assert office.client.get("/api/v1/datasets").json()["total"] == 9 - 1  # the hostile one has no file left
    assert ckan.site.asked[-1].headers["authorization"] == "s3cret"
    assert "s3cret" not in browser("root").see(source)


def test_where_it_comes_from_and_what_stays(
    office: Any, browser: Callable[[str], Any], ckan: MiniCkan, settle: Callable[[], None]
) -> None:
    source = added(browser("root"), ckan)
    editor = browser("editor")
    editor.send(source, source, act="run")
    settle()
    (found,) = office.client.get("/api/v1/search", params={"q": "set-1"}).json()["results"][:1]
    public = office.client.get(f"/en/dataset/{found['name']}").text
    assert f'Harvested from</dt><dd><a href="{ckan.site.url}/dataset/' in public
    assert "<dt>uri</dt>" not in public
    mine = office.editor.get(f"/datasets/{found['name']}").json()
    assert office.editor.patch(f"/datasets/{mine['id']}", json={"title": "Ours"}).status_code == 200
    for one in ckan.packages:
        if one["name"] == "set-1":
            one |= {"title": "Theirs", "notes": "Theirs too", "metadata_modified": "2026-11-20T08:00:00"}
    run = editor.send(source, source, act="run").headers["location"]
    settle()
    report = browser("editor").see(f"{run}?show=updated")
    assert "These stay as people here wrote them: Title." in report
    assert ">Description</span>" in report
    desk = editor.see(f"/en/console/dataset/{mine['id']}")
    assert "Kept as written here, though the source says otherwise: Title<" in desk
    form = editor.see(f"/en/console/dataset/{mine['id']}/edit")
    assert form.count("The source says otherwise by now") == 1


def test_much_is_missing(
    office: Any, browser: Callable[[str], Any], ckan: MiniCkan, settle: Callable[[], None]
) -> None:
    source = added(browser("root"), ckan)
    editor = browser("editor")
    editor.send(source, source, act="run")
    settle()
    del ckan.packages[1:]
    run = editor.send(source, source, act="run").headers["location"]
    settle()
    page = editor.see(run)
    assert "7 are missing at the source" in page
    assert "They are gone" not in browser("content").see(run)
    assert editor.send(run, run, act="confirm").status_code == 303
    settle()
    assert "It was confirmed that what is missing is gone." in editor.see(run)
    assert office.client.get("/api/v1/datasets").json()["total"] == 1
    assert 'value="cancel"' not in editor.see(run)


def test_only_administrators_keep_sources(office: Any, browser: Callable[[str], Any], ckan: MiniCkan) -> None:
    root, editor = browser("root"), browser("editor")
    source = added(root, ckan)
    assert editor.get(f"{HERE}/new").status_code == 403
    wrong = root.send(
        source, source, act="save", **{**FIELDS, "url": "ftp://x", "options": "{", "gone_after_runs": "x"}
    )
    assert wrong.status_code == 422
    for field in ("options", "gone_after_runs"):
        assert f'href="#f-{field}"' in wrong.text
    saved = root.send(
        source,
        source,
        act="save",
        **{**FIELDS, "url": ckan.site.url, "schedule": "weekly", "limits.run_requests": "7"},
    )
    assert saved.status_code == 303
    assert "Mondays 03:00" in root.see(HERE)
    kept = office.admin.get(f"/harvest/sources/{source.rpartition('/')[2]}").json()
    assert (kept["schedule"], kept["limits"]["run_requests"], kept["limits"]["pause"]) == (
        "weekly 03:00",
        7,
        0.5,
    )
    below = root.send(
        source, source, act="save", **{**FIELDS, "url": ckan.site.url, "limits.run_requests": "0"}
    )
    assert below.status_code == 422
    assert 'href="#f-limits"' in below.text
    assert ">Trusted<" in root.see(HERE)
    moved = {**FIELDS, "url": f"{ckan.site.url}/other"}
    assert root.send(source, source, act="save", **moved).status_code == 303
    assert ">Trusted<" not in root.see(HERE)  # it was trusted at its old address
    assert editor.send(source, source, act="end").status_code == 403
    assert root.send(source, source, act="end").status_code == 303
    assert "county" not in root.see(HERE)
