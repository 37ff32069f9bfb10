"""The real `ckanapi` client against a real server."""

from __future__ import annotations

import threading
import time

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
    assert [r["name"] for r in shown["resources"]] == ["", "rows"]
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


def test_errors_are_the_client_s_own(editor, public):
    with pytest.raises(ValidationError) as caught:
        editor.action.package_create(name="x", owner_org="housing")
    assert "name" in caught.value.error_dict
    with pytest.raises(NotAuthorized):
        public.action.package_create(name="streets", owner_org="housing")
    with pytest.raises(NotFound):
        public.action.package_show(id="nothing")
