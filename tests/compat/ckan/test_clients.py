"""Clients of CKAN as they are installed, and what others ask: frictionless' portal, ckanapi's command line with files, the
requests of ckanext-harvest's CKAN harvester, and the page of documentation that people copy from."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from frictionless import Catalog, Package, Resource
from frictionless.portals import CkanControl

from opendata.main import create_app

pytestmark = [pytest.mark.parametrize("settings", ["light"], indirect=True)]
ROWS = b"code,name\n1,Mill Lane\n2,Quay\n"
PAGE = Path(__file__).parents[3] / "docs" / "ckan-by-curl.md"


@pytest.fixture
def place() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound


@pytest.fixture
def overrides(place: socket.socket) -> dict[str, Any]:
    """Addresses that are told lead back to the server."""
    return {"publication_policy": "direct", "site_url": f"http://127.0.0.1:{place.getsockname()[1]}"}


@pytest.fixture
def site(place: socket.socket, app: Any, settings: Any, office: Any) -> Iterator[str]:
    config = uvicorn.Config(create_app(app), log_config=None, lifespan="off", ws="none", port=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    yield settings.site_url
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture
def published(site: str, callers: Any) -> dict[str, Any]:
    """A public dataset with a file and a link, of a group."""
    callers.root.ok("group_create", name="traffic", title="Traffic")
    made = callers.create(
        "streets", title="Streets", notes="All of them", groups=[{"name": "traffic"}], tags=[{"name": "roads"}],
        resources=[{"url": "https://example.org/a.geojson", "name": "map", "format": "GeoJSON"}],
    )  # fmt: skip
    answer = callers.editor.client.post(
        "/api/3/action/resource_create",
        data={"package_id": made["id"], "name": "rows"},
        files={"upload": ("rows.csv", ROWS)},
        headers=callers.editor.headers,
    )
    assert answer.status_code == 200, answer.text
    callers.settle()
    found: dict[str, Any] = callers.public.ok("package_show", id=made["id"])
    return found


def test_frictionless_reads_a_dataset_and_its_rows(site: str, published: dict[str, Any]) -> None:
    package = Package(f"{site}/dataset/streets")
    assert (package.name, package.title) == ("streets", "Streets")
    rows = package.get_resource("rows")
    assert rows.path == published["resources"][1]["url"]
    assert [row.to_dict() for row in rows.read_rows()] == [
        {"code": 1, "name": "Mill Lane"},
        {"code": 2, "name": "Quay"},
    ]
    dumped = Resource(path=f"{site}/datastore/dump/{published['resources'][1]['id']}", format="csv")
    assert [row["name"] for row in dumped.read_rows()] == ["Mill Lane", "Quay"]


def test_frictionless_reads_a_catalogue(site: str, published: dict[str, Any], callers: Any) -> None:
    callers.create("other", title="Other", resources=[{"url": "https://example.org/b.csv", "name": "b"}])
    callers.settle()

    def names(**wanted: Any) -> set[str]:
        catalog = Catalog(control=CkanControl(baseurl=site, **wanted))
        return {dataset.package.name for dataset in catalog.datasets}

    assert names() == names(organization_name="housing") == {"streets", "other"}
    assert names(group_id="traffic") == names(search={"q": "title:streets"}) == {"streets"}
    assert len(names(num_packages=1, results_offset=1)) == 1


def test_frictionless_publishes_and_publishes_again(
    site: str, callers: Any, tmp_path: Path, office: Any
) -> None:
    (tmp_path / "rows.csv").write_bytes(ROWS)
    descriptor = {"name": "lanes", "title": "Lanes", "resources": [{"name": "rows", "path": "rows.csv"}]}
    package = Package.from_descriptor(descriptor, basepath=str(tmp_path))
    package.infer()
    wish = {"baseurl": site, "apikey": office.editor.token, "organization_name": "housing"}
    told = package.publish(control=CkanControl(**wish))
    callers.settle()
    shown = callers.public.ok("package_show", id="lanes")
    assert told.url == f"{site}/dataset/lanes"
    assert [r["name"] for r in shown["resources"]] == ["rows", "datapackage"]
    again = Package(f"{site}/dataset/lanes", control=CkanControl(ignore_schema=False))
    assert again.get_resource("rows").schema.field_names == ["code", "name"]
    package.title = "Lanes and alleys"
    package.custom["id"] = shown["id"]
    package.publish(control=CkanControl(**wish, allow_update=True))
    callers.settle()
    assert callers.public.ok("package_show", id="lanes")["title"] == "Lanes and alleys"


def ckanapi(site: str, *words: str, token: str = "") -> str:
    program = Path(sys.executable).with_name("ckanapi")
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])  # it starts itself by its name
    key = ["-a", token] if token else []
    done = subprocess.run(
        [program, *words, "-r", site, *key], capture_output=True, text=True, env=os.environ | {"PATH": path}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_line_moves_a_dataset_with_its_files(
    site: str, published: dict[str, Any], callers: Any, office: Any, tmp_path: Path
) -> None:
    """Files out as a data package; and in from the address at which the dump found them."""
    ckanapi(site, "dump", "datasets", "streets", f"--datapackages={tmp_path}")
    folder = tmp_path / "streets"
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    rows = next(r for r in described["resources"] if r["name"] == "rows")
    assert (folder / rows["path"]).read_bytes() == ROWS
    assert [field["name"] for field in rows["schema"]["fields"]] == ["code", "name"]
    file = next(r for r in published["resources"] if r["name"] == "rows")
    moved = {"name": "lanes", "title": "Lanes", "owner_org": "housing", "resources": [
        {"name": "rows", "url": file["url"], "url_type": "upload", "id": file["id"][:-1] + ("0" if file["id"][-1] != "0" else "1")}
    ]}  # fmt: skip
    source = tmp_path / "lanes.jsonl"
    source.write_text(json.dumps(moved) + "\n", encoding="utf-8")
    ckanapi(site, "load", "datasets", "-I", str(source), "--upload-resources", token=office.editor.token)
    callers.settle()
    (copied,) = callers.public.ok("package_show", id="lanes")["resources"]
    assert (copied["url_type"], copied["hash"]) == ("upload", file["hash"])
    assert requests.get(copied["url"], timeout=60).content == ROWS
    ckanapi(site, "delete", "datasets", "lanes", token=office.editor.token)
    callers.settle()
    assert callers.public.ok("package_list") == ["streets"]


def harvested(site: str, *fq: str) -> list[dict[str, Any]]:
    """As `CKANHarvester._search_for_datasets` asks: pages of 100 by id until one is empty."""
    params = {"rows": "100", "start": "0", "sort": "id asc", **({"fq": " ".join(fq)} if fq else {})}
    found: dict[str, dict[str, Any]] = {}
    while True:
        answer = requests.get(f"{site}/api/3/action/package_search?", params=params, timeout=60).json()
        page = answer["result"]["results"]
        found |= {package["id"]: package for package in page}
        params["start"] = str(int(params["start"]) + 100)
        if not page:
            return list(found.values())


def test_what_a_ckan_harvester_asks(site: str, published: dict[str, Any], callers: Any) -> None:
    for number in range(120):
        callers.create(f"lane-{number:03}", title=f"Lane {number}", private=number == 0)
    callers.settle()
    every = harvested(site)
    assert len(every) == 120
    assert [package["id"] for package in every] == sorted(package["id"] for package in every)
    assert [p["name"] for p in harvested(site, "groups:traffic")] == ["streets"]
    assert len(harvested(site, "organization:housing OR organization:water")) == 120
    assert harvested(site, "-organization:housing") == []
    assert len(harvested(site, "-groups:traffic")) == 119
    since = published["metadata_modified"]
    assert {p["name"] for p in harvested(site, f"metadata_modified:[{since}Z TO *]")} >= {
        "streets",
        "lane-119",
    }
    assert harvested(site, "metadata_modified:[2999-01-01T00:00:00Z TO *]") == []
    for kind, name in (("organization", "housing"), ("group", "traffic")):
        answer = requests.get(f"{site}/api/3/action/{kind}_show?id={name}", timeout=60).json()
        assert (answer["success"], answer["result"]["name"]) == (True, name)
    (whole,) = harvested(site, "groups:traffic")
    assert whole == published | {"metadata_modified": whole["metadata_modified"]}


def test_the_page_that_people_copy_from_is_true(site: str, office: Any, callers: Any, tmp_path: Path) -> None:
    assert shutil.which("curl"), "curl is a part of every machine that develops this"
    text = PAGE.read_text(encoding="utf-8")
    script = "set -eu\n" + "\n".join(re.findall(r"^    (.*)$", text, re.M))
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"B": site, "T": office.editor.token, "no_proxy": "*"},
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert '"records":[{"_id":1,"street":"Mill Lane","trees":8}]' in done.stdout
    assert "Quay,3" in done.stdout
    callers.public.fails(404, "package_show", id="street-trees")
