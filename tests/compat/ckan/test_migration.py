"""`opendata import ckan`: from one portal, asked as a CKAN over HTTP, to another; and `opendata export ckan` back."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from asking import Asking
from click.testing import CliRunner, Result

from opendata.application import Application
from opendata.cli import cli
from opendata.main import create_app
from opendata.settings import Settings
from opendata.wiring import build
from opendata.work import trail
from opendata.work.actor import SYSTEM

pytestmark = [pytest.mark.parametrize("settings", ["light"], indirect=True)]
PATIENCE = 120
FIELDS = [{"id": "code", "type": "text", "info": {"label": "代码"}}, {"id": "length", "type": "numeric"}]
RECORDS = [{"code": f"c{number}", "length": number / 4} for number in range(7)]
RECORDED = Path(__file__).with_name("recorded_source.json")
"""What CKAN 2.12.0 answered to an import, by address; `{site}` is its own."""
ROWS = "代码,名称\n01,甲\n02,乙\n".encode()


@pytest.fixture
def place() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@pytest.fixture
def overrides(place: socket.socket) -> dict[str, Any]:
    return {
        "publication_policy": "direct",
        "site_url": f"http://127.0.0.1:{place.getsockname()[1]}",
    }


@pytest.fixture
def source(place: socket.socket, app: Application, settings: Settings, callers: Any) -> Iterator[str]:
    """The portal that is left: an organization with an editor, a group, three datasets, one of them private."""
    callers.root.ok("group_create", name="roads", title="道路", description="路")
    groups, tags = [{"name": "roads"}], [{"name": "街道"}, {"name": "代码"}]
    one = callers.create(
        "streets", title="街道名录", notes="全部街道", groups=groups, tags=tags, license_id="cc-by-4.0",
        extras=[{"key": "old_number", "value": "17"}], resources=[{"url": "https://example.org/a.csv", "name": "链接"}],
    )  # fmt: skip
    answer = callers.editor.client.post(
        "/api/3/action/resource_create",
        data={"package_id": one["id"], "name": "表", "unit": "号"},
        files={"upload": ("街道.csv", ROWS)},
        headers=callers.editor.headers,
    )
    assert answer.status_code == 200, answer.text
    callers.editor.ok(
        "resource_view_create", resource_id=one["resources"][0]["id"], title="表格", view_type="text_view"
    )
    terms = [{"name": "一级"}, {"name": "二级"}]
    levels = callers.root.ok("vocabulary_create", name="levels", tags=terms)
    tagged = [*tags, {"name": "一级", "vocabulary_id": levels["id"]}]
    callers.editor.ok("package_patch", id=one["id"], tags=tagged)
    written = {"package_id": one["id"], "name": "写入的行"}
    callers.editor.ok(
        "datastore_create", resource=written, fields=FIELDS, primary_key=["code"], records=RECORDS
    )
    callers.settle()
    told = [{"id": "名称", "info": {"label": "街道名"}}]
    table = answer.json()["result"]["id"]
    callers.editor.ok("datastore_create", resource_id=table, force=True, fields=told)
    callers.create("hidden", title="未公开", private=True)
    callers.create("plain", title="Plain")
    callers.settle()
    server = uvicorn.Server(
        uvicorn.Config(create_app(app), log_config=None, lifespan="off", ws="none", port=0)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield settings.site_url
    server.should_exit = True
    thread.join(timeout=30)


class Target:
    """The portal that everything goes to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.setenv("OPENDATA_DATA_DIR", str(folder))
        monkeypatch.setenv("OPENDATA_PUBLICATION_POLICY", "direct")
        self.settings = Settings(
            data_dir=folder, publication_policy="direct", site_url="http://testserver", run_jobs=False
        )

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(cli, list(words))

    def published(self) -> dict[str, Any]:
        """What everybody sees, by name, once the jobs have run."""
        app = build(self.settings)
        try:
            app.start()
            deadline = time.monotonic() + PATIENCE
            while not app.queue.idle():
                assert time.monotonic() < deadline, "jobs do not come to an end"
                time.sleep(0.05)
            app.indexer.drain()
            with Asking(create_app(app)) as client:
                names = client.get("/api/3/action/package_list").json()["result"]
                found = {
                    name: client.get("/api/3/action/package_show", params={"id": name}).json()["result"]
                    for name in names
                }
                self.tables = {
                    resource["name"]: client.get(
                        "/api/3/action/datastore_search", params={"resource_id": resource["id"]}
                    ).json()["result"]
                    for package in found.values()
                    for resource in package["resources"]
                    if resource["datastore_active"]
                }
                self.views = {
                    resource["id"]: client.get(
                        "/api/3/action/resource_view_list", params={"id": resource["id"]}
                    ).json()["result"]
                    for package in found.values()
                    for resource in package["resources"]
                }
                self.ids = {name: package["id"] for name, package in found.items()}
                self.history = {
                    name: client.get("/api/3/action/package_activity_list", params={"id": name}).json()[
                        "result"
                    ]
                    for name in names
                }
                self.vocabularies = client.get("/api/3/action/vocabulary_list").json()["result"]
                self.bytes = {
                    resource["id"]: client.get(f"/api/v1/resources/{resource['id']}/download").content
                    for package in found.values()
                    for resource in package["resources"]
                    if resource["url_type"] == "upload"
                }
                return found
        finally:
            app.close()


@pytest.fixture
def target(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    folder = tmp_path / "target"
    folder.mkdir()
    shutil.copy(template, folder / "opendata.db")
    return Target(folder, monkeypatch)


KEPT = ("id", "name", "title", "notes", "license_id", "owner_org", "metadata_created", "tags", "groups")


def outcomes(path: Path) -> dict[tuple[str, str], str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["kind"], row["name"]): row["outcome"] for row in csv.DictReader(file)}


def test_everything_comes_over_with_ids_and_names(
    source: str, callers: Any, target: Target, tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"
    words = ["import", "ckan", source, "--token", callers.root.token, "--with-files"]
    done = target.run(*words, "--contact-email", "open@example.org", "--report", str(report))
    assert done.exit_code == 0, done.output
    assert "dataset: 3 taken" in done.output
    assert outcomes(report)[("dataset", "hidden")] == "taken"
    here, there = (
        target.published(),
        {name: callers.root.ok("package_show", id=name) for name in ("streets", "plain")},
    )
    assert set(here) == {"streets", "plain"}, "what is private there is a draft here"
    for name, package in there.items():
        assert {key: here[name][key] for key in KEPT} == {key: package[key] for key in KEPT}
        for key in ("id", "created"):
            assert [r[key] for r in here[name]["resources"]] == [r[key] for r in package["resources"]]
        assert {"key": "modified", "value": package["metadata_modified"][:10]} in here[name]["extras"]
    assert {"key": "old_number", "value": "17"} in here["streets"]["extras"]
    link, table, written = here["streets"]["resources"]
    assert (link["url"], link["name"]) == ("https://example.org/a.csv", "链接")
    assert (table["name"], table["unit"], table["datastore_active"]) == ("表", "号", True)
    assert target.bytes == {table["id"]: ROWS}
    assert table["hash"] == hashlib.sha256(ROWS).hexdigest()
    assert target.views[link["id"]] == callers.public.ok("resource_view_list", id=link["id"]) != []
    assert written["url"] == f"http://testserver/datastore/dump/{written['id']}"
    rows = callers.public.ok("datastore_search", resource_id=written["id"])
    assert target.tables["写入的行"] == rows
    assert target.tables["表"]["fields"][2]["info"] == {"label": "街道名"}
    assert [field.get("info") for field in rows["fields"]] == [None, {"label": "代码"}, None]
    assert [(v["id"], v["name"], [t["name"] for t in v["tags"]]) for v in target.vocabularies] == [
        (v["id"], v["name"], [t["name"] for t in v["tags"]]) for v in callers.public.ok("vocabulary_list")
    ]
    assert here["streets"]["num_tags"] == 3
    assert outcomes(report)[("rows", "写入的行")] == outcomes(report)[("view", "表格")] == "taken"


def test_a_second_run_takes_what_is_new(source: str, callers: Any, target: Target, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    words = ["import", "ckan", source, "--token", callers.root.token, "--with-files", "--report", str(report)]
    words += ["--contact-email", "open@example.org"]
    assert target.run(*words).exit_code == 0
    first = target.published()
    done = target.run(*words)
    assert done.exit_code == 0, done.output
    assert set(outcomes(report).values()) == {"equal"}
    assert target.published() == first
    callers.editor.ok("package_patch", id="streets", title="新街道名录")
    rows = next(r["id"] for r in first["streets"]["resources"] if r["url_type"] == "datastore")
    callers.editor.ok(
        "datastore_upsert", resource_id=rows, records=[{"code": "c0", "length": 9}, {"code": "c9"}]
    )
    callers.settle()
    done = target.run(*words)
    assert done.exit_code == 0, done.output
    assert {k: v for k, v in outcomes(report).items() if v != "equal"} == {
        ("dataset", "streets"): "changed",
        ("view", "表格"): "changed",
        ("dictionary", "streets"): "changed",
        ("rows", "写入的行"): "changed",
    }
    second = target.published()
    table = target.tables["写入的行"]
    assert [record["code"] for record in table["records"]] == [*(f"c{number}" for number in range(7)), "c9"]
    assert table["records"][0]["length"] == 9
    assert second["streets"]["title"] == "新街道名录"
    assert [r["hash"] for r in second["streets"]["resources"]] == [
        r["hash"] for r in first["streets"]["resources"]
    ]


def test_a_dry_run_changes_nothing(source: str, callers: Any, target: Target) -> None:
    done = target.run("import", "ckan", source, "--token", callers.root.token, "--with-files", "--dry-run")
    assert "would be dataset: 3 taken" in done.output
    assert target.published() == {}


def test_what_may_not_go_out_stays_a_draft_and_is_named(
    source: str, callers: Any, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENDATA_PUBLICATION_POLICY", "reviewed")
    words = ["import", "ckan", source, "--token", callers.root.token]
    done = target.run(*words)
    assert done.exit_code == 1
    assert "dataset: 3 taken" in done.output
    assert "refused publication streets: a draft: " in done.output
    assert "contact" in done.output
    monkeypatch.setenv("OPENDATA_PUBLICATION_POLICY", "direct")
    again = target.run(*words)
    assert again.exit_code == 0, again.output
    assert set(target.published()) == {"streets", "plain"}


def test_people_are_refused_without_the_right_to_see_their_addresses(source: str, target: Target) -> None:
    done = target.run("import", "ckan", source, "--contact-email", "open@example.org")
    assert done.exit_code == 1
    assert "refused user" in done.output
    assert set(target.published()) == {"streets", "plain"}


def test_a_site_that_does_not_answer_is_said(
    settings: Settings, place: socket.socket, target: Target
) -> None:
    place.close()
    done = target.run("import", "ckan", settings.site_url)
    assert done.exit_code == 1
    assert "Stopped" in done.output


def test_what_is_exported_loads_again(source: str, target: Target, callers: Any, tmp_path: Path) -> None:
    words = ["import", "ckan", source, "--token", callers.root.token, "--contact-email", "open@example.org"]
    assert target.run(*words).exit_code == 0
    here = target.published()
    done = target.run("export", "ckan", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "out" / "datasets.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["name"] for line in lines} == set(here)
    bodies = (tmp_path / "out" / "organizations.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["name"] for line in bodies} == {"housing", "water"}


@pytest.fixture
def recorded() -> Iterator[str]:
    """A CKAN 2.12.0 that answers as it once did, and nothing that it was not asked then."""
    answers = json.loads(RECORDED.read_text(encoding="utf-8"))

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path)
            told = answer if isinstance(answer, str) else json.dumps(answer)
            body = told.replace("{site}", f"http://127.0.0.1:{server.server_port}").encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are read, not logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(timeout=30)
    server.server_close()


def test_what_a_ckan_answers_comes_over_whole(
    recorded: str, target: Target, tmp_path: Path, settings: Settings
) -> None:
    report = tmp_path / "report.csv"
    words = ["import", "ckan", recorded, "--token", "x", "--with-files", "--organization", "rest-org"]
    words += ["--contact-email", "open@example.org", "--report", str(report)]
    done = target.run(*words)
    assert done.exit_code == 0, done.output
    assert "dataset: 5 taken" in done.output
    here = target.published()
    assert set(here) == {"rest-files", "rest-voc1", "rest-voc2", "rest-voc5"}
    asked = json.loads(RECORDED.read_text(encoding="utf-8"))
    there = next(answer["result"] for path, answer in asked.items() if "/package_search?" in path)
    for package in there["results"]:
        if not package["private"]:
            assert {key: here[package["name"]][key] for key in ("id", "title", "metadata_created")} == {
                key: package[key] for key in ("id", "title", "metadata_created")
            }
    rows = next(answer["result"] for path, answer in asked.items() if "sort=_id&limit=20000&offset=0" in path)
    table = target.tables["rest rows"]
    assert (table["records"], table["fields"]) == (rows["records"], rows["fields"])
    assert list(target.bytes.values()) == [b"code,name\n01,a\n02,b\n"]
    assert [view["title"] for views in target.views.values() for view in views] == ["T"]
    again = target.run(*words)
    assert again.exit_code == 0, again.output
    assert set(outcomes(report).values()) == {"equal"}


def test_what_was_done_there_is_in_the_trail(recorded: str, target: Target, settings: Settings) -> None:
    words = ["import", "ckan", recorded, "--token", "x", "--organization", "rest-org"]
    assert target.run(*words, "--contact-email", "open@example.org").exit_code == 0
    app = build(target.settings)
    try:
        with app.place.reading(SYSTEM) as work:
            lines = trail.newest(work, trail.Filter(action="history.brought"))
            entries = [entry for line in lines for entry in line.details["entries"]]
    finally:
        app.close()
    asked = json.loads(RECORDED.read_text(encoding="utf-8"))
    told = {
        entry["id"]: entry
        for path, answer in asked.items()
        if "activity_list" in path
        for entry in answer["result"]
        if f"id={entry['object_id']}&" in path
    }
    assert len(entries) == len(told) > 10
    for entry in entries:
        there = told[entry["id"]]
        assert (entry["at"], entry["type"], entry["by"]) == tuple(
            there[key] for key in ("timestamp", "activity_type", "user_id")
        )


def test_what_was_done_there_is_listed_here(recorded: str, target: Target, settings: Settings) -> None:
    words = ["import", "ckan", recorded, "--token", "x", "--organization", "rest-org"]
    assert target.run(*words, "--contact-email", "open@example.org").exit_code == 0
    target.published()
    asked = json.loads(RECORDED.read_text(encoding="utf-8"))
    name = "rest-voc1"
    there = next(
        answer["result"]
        for path, answer in asked.items()
        if "package_activity_list" in path and answer["result"][0]["object_id"] == target.ids[name]
    )
    same = ("id", "timestamp", "activity_type", "user_id", "object_id")
    assert [{key: entry[key] for key in same} for entry in target.history[name]][-len(there) :] == [
        {key: entry[key] for key in same} for entry in there
    ]
