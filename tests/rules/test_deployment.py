"""What deploy/ says agrees with the program: settings exist, versions are those tested, nginx takes its file."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from opendata.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields}
ONE_SHOT = {"migrate"}
NGINX = os.environ.get("OPENDATA_TEST_NGINX", "")


def pinned(program: str, name: str = "VERSION") -> str:
    found = re.search(rf'^{name} = "(.+)"$', (DEPLOY / "services" / program).read_text("utf-8"), re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["compose.yaml", "Containerfile", "env.example", "nginx.conf", "README.md"])
def test_every_setting_named_exists(path: str) -> None:
    named = set(re.findall(r"\bOPENDATA_[A-Z_]+[A-Z]", (DEPLOY / path).read_text("utf-8")))
    services_of_tests = {name for name in named if name.startswith(("OPENDATA_TEST_", "OPENDATA_SERVICES_"))}
    assert named - services_of_tests <= KNOWN


def test_the_stack_is_whole_and_each_part_says_how_it_is() -> None:
    assert {"app", "worker", "database", "objects", "search", "nginx"} <= set(SERVICES)
    assert not {name for name, service in SERVICES.items() if "healthcheck" not in service}
    for name, service in SERVICES.items():
        assert service.get("restart") == ("no" if name in ONE_SHOT else "unless-stopped")
        for other, wanted in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert wanted["condition"] == expected


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"nginx"}
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("database", "objects", "search"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_no_secret_has_a_default_and_the_example_names_each() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    secrets = set(re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*):\?", text))
    assert secrets == set(re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)", text))
    required = set(re.findall(r"\$\{(\w+):\?", text))
    assert required <= set(re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text("utf-8"), re.MULTILINE))


def test_the_servers_are_those_that_tests_use() -> None:
    assert SERVICES["search"]["image"] == f"elasticsearch:{pinned('elasticsearch.py')}"
    assert f"{pinned('minio.py', 'MODULE')}@{pinned('minio.py')}\n" in (
        DEPLOY / "minio.Containerfile"
    ).read_text("utf-8")


def test_the_image_copies_what_exists_and_what_its_ignore_file_lets_through() -> None:
    let_through = set(
        re.findall(r"^!(\S+)", (DEPLOY / "Containerfile.dockerignore").read_text("utf-8"), re.MULTILINE)
    )
    copies = re.findall(
        r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Containerfile").read_text("utf-8"), re.MULTILINE
    )
    copied = {name for line in copies for name in line.split()}
    assert copied == let_through
    assert not {name for name in copied if not (ROOT / name).exists()}


@pytest.mark.services
@pytest.mark.skipif(not NGINX, reason="needs nginx: OPENDATA_TEST_NGINX not set")
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    # Names of the compose network mean nothing here, and another nginx may hold the usual places.
    text = text.replace("app:8000", "127.0.0.1:8000")
    text = re.sub(r"(?<= )/tmp(?=/nginx)", str(tmp_path), text)
    (tmp_path / "nginx.conf").write_text(text)
    done = subprocess.run(
        [NGINX, "-t", "-q", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
