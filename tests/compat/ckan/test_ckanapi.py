"""The real `ckanapi` client against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from ckanapi import NotAuthorized, NotFound, RemoteCKAN, ValidationError

from opendata.main import create_app

pytestmark = [
    pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}]),
    pytest.mark.parametrize("settings", ["light"], indirect=True),
]


@pytest.fixture
def address(app, office):
    config = uvicorn.Config(create_app(app), port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture
def editor(address, office):
    with RemoteCKAN(address, apikey=office.editor.token) as client:
        yield client


@pytest.fixture
def public(address):
    with RemoteCKAN(address) as client:
        yield client


def test_a_dataset_from_beginning_to_end(editor, public, settle, tmp_path):
    made = editor.action.package_create(
        name="streets",
        title="Streets",
        owner_org="housing",
        tags=[{"name": "roads"}],
        resources=[{"url": "http://x/a.csv"}],
    )
    file = tmp_path / "rows.csv"
    file.write_bytes(b"id,name\n1,a\n")
    with file.open("rb") as opened:
        resource = editor.action.resource_create(package_id=made["id"], name="rows", upload=opened)
    assert resource["url_type"] == "upload"
    settle()
    shown = public.call_action("package_show", {"id": "streets"})
    assert [r["name"] for r in shown["resources"]] == [None, "rows"]
    assert public.call_action("datastore_search", {"resource_id": resource["id"]})["total"] == 1
    with file.open("rb") as opened:
        editor.action.resource_patch(id=resource["id"], upload=opened)
    settle()
    assert public.action.package_search(q="roads")["count"] == 1
    editor.action.package_patch(id="streets", title="Roads")
    settle()
    assert public.action.package_show(id="streets")["title"] == "Roads"
    editor.action.package_delete(id="streets")
    with pytest.raises(NotFound):
        public.action.package_show(id="streets")


def test_what_a_dump_holds_can_be_loaded_again(editor, public):
    """`ckanapi dump` writes package_show's answers; `ckanapi load` sends them back to package_update."""
    editor.action.package_create(
        name="streets",
        owner_org="housing",
        extras=[{"key": "k", "value": "v"}],
        resources=[{"url": "http://x/a.csv", "name": "a", "size": 5}],
    )
    dumped = public.action.package_show(id="streets")
    editor.call_action("package_update", dumped)
    again = public.action.package_show(id="streets")
    changing = {"metadata_modified"}
    assert {k: v for k, v in again.items() if k not in changing} == {
        k: v for k, v in dumped.items() if k not in changing
    }


def command(address, *arguments, token="", **options):
    """The real command line; what it printed."""
    program = Path(sys.executable).with_name("ckanapi")
    key = ["-a", token] if token else []
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])  # it starts itself by its name
    done = subprocess.run(
        [program, *arguments, "-r", address, *key],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PATH": path},
        **options,
    )
    return done.stdout


def test_the_command_line_dumps_deletes_and_loads(address, editor, office, settle, tmp_path):
    for name in ("streets", "trees"):
        editor.action.package_create(
            name=name,
            title=name.title(),
            owner_org="housing",
            tags=[{"name": "city"}],
            resources=[{"url": f"http://x/{name}.csv", "name": name}],
        )
    settle()
    found = [json.loads(line) for line in command(address, "search", "datasets", "q=tags:city").splitlines()]
    assert sorted(package["name"] for package in found) == ["streets", "trees"]
    dump = tmp_path / "datasets.jsonl"
    command(address, "dump", "datasets", "--all", "-O", str(dump))
    before = {package["name"]: package for package in map(json.loads, dump.read_text().splitlines())}
    assert before.keys() == {"streets", "trees"}
    command(address, "delete", "datasets", "streets", token=office.editor.token)
    settle()
    assert editor.action.package_list() == ["trees"]
    # One that is there is updated; one from elsewhere (an id is never given twice) is made.
    moved = {key: value for key, value in before["streets"].items() if key != "id"}
    moved["resources"] = [{"url": r["url"], "name": r["name"]} for r in moved["resources"]]
    entries = [before["trees"] | {"notes": "again"}, moved | {"name": "avenues", "notes": "again"}]
    dump.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    command(address, "load", "datasets", "-I", str(dump), token=office.editor.token)
    settle()
    assert editor.action.package_list() == ["avenues", "trees"]
    for name, source in (("avenues", "streets"), ("trees", "trees")):
        package = editor.action.package_show(id=name)
        assert package["notes"] == "again"
        for key in ("title", "tags", "license_id", "owner_org"):
            assert package[key] == before[source][key], key
        assert [r["url"] for r in package["resources"]] == [r["url"] for r in before[source]["resources"]]


def test_the_command_line_takes_organizations_groups_and_users(address, office, tmp_path):
    token = office.admin.token
    lines = {
        "organizations": {"name": "parks", "title": "Parks", "users": []},
        "groups": {"name": "traffic", "title": "Traffic"},
        "users": {"name": "ann", "email": "ann@example.org", "password": "long-enough-1"},
    }
    for kind, entry in lines.items():
        source = tmp_path / f"{kind}.jsonl"
        source.write_text(json.dumps(entry) + "\n")
        command(address, "load", kind, "-I", str(source), token=token)
        dumped = command(address, "dump", kind, "--all", token=token)
        assert entry["name"] in {json.loads(line)["name"] for line in dumped.splitlines()}
        again = tmp_path / f"{kind}-again.jsonl"
        again.write_text(dumped)
        command(address, "load", kind, "-I", str(again), token=token)


def test_errors_are_the_client_s_own(editor, public):
    with pytest.raises(ValidationError) as caught:
        editor.action.package_create(name="x", owner_org="housing")
    assert "name" in caught.value.error_dict
    with pytest.raises(NotAuthorized):
        public.action.package_create(name="streets", owner_org="housing")
    with pytest.raises(NotFound):
        public.action.package_show(id="nothing")


def test_rows_from_beginning_to_end(editor, public, settle):
    """The calls of loaders (ckanapi, xloader): a table with a dictionary, batches, pages by key, deletion."""
    editor.action.package_create(name="streets", title="Streets", owner_org="housing")
    fields = [
        {"id": "code", "type": "text", "info": {"label": "Code"}},
        {"id": "length", "type": "numeric"},
    ]
    made = editor.action.datastore_create(
        resource={"package_id": "streets", "name": "rows"}, fields=fields, primary_key=["code"]
    )
    resource = made["resource_id"]
    settle()
    for start in range(0, 900, 300):
        records = [{"code": f"c{number}", "length": number / 4} for number in range(start, start + 300)]
        editor.action.datastore_upsert(resource_id=resource, records=records, method="insert")
    seen, after = [], {}
    while True:
        page = public.action.datastore_search(
            resource_id=resource, limit=400, filters=after, include_next_page=True, sort="_id"
        )
        seen += [record["code"] for record in page["records"]]
        if len(page["records"]) < 400:
            break
        after = page["next_page"]
    assert seen == [f"c{number}" for number in range(900)]
    asked = public.call_action(
        "datastore_search", {"resource_id": resource, "limit": 0}, requests_kwargs={"timeout": 30}
    )
    assert [field.get("info") for field in asked["fields"]] == [None, {"label": "Code"}, None]
    with pytest.raises(ValidationError) as wrong:
        editor.action.datastore_upsert(resource_id=resource, records=[{"code": "c1"}], method="insert")
    assert wrong.value.error_dict["records_row"] == 0
    with pytest.raises(NotAuthorized):
        public.action.datastore_upsert(resource_id=resource, records=[])
    editor.action.datastore_delete(resource_id=resource, filters={"length": {"gte": 1}})
    assert public.action.datastore_info(id=resource)["meta"]["count"] == 4
    editor.action.datastore_delete(resource_id=resource)
    with pytest.raises(NotFound):
        public.action.datastore_search(resource_id=resource)
