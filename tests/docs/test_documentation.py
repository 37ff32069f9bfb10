"""Documentation as failing tests: every setting, job and endpoint is documented, and the API is the one in the snapshot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click import Command, Group

from opendata.application import Application
from opendata.cli import cli
from opendata.main import create_app
from opendata.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = ROOT / "docs" / "openapi.json"
light = pytest.mark.parametrize("settings", ["light"], indirect=True)


def table(name: str) -> dict[str, list[str]]:
    """Rows of a page's first column in backquotes: {name: the other cells}."""
    rows = {}
    for line in (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\| `([^`]+)` \|(.*)\|$", line):
            rows[found[1]] = [cell.strip() for cell in found[2].split(" | ")]
    return rows


def test_every_setting_is_documented_with_its_default() -> None:
    documented = table("settings.md")
    assert set(documented) == {PREFIX + name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        shown = documented[PREFIX + name.upper()][0]
        if name == "catalog_schemas":
            continue
        default = str(field.default.value if hasattr(field.default, "value") else field.default)
        default = str(int(field.default)) if isinstance(field.default, float) else default
        expected = {"": "empty", "True": "`true`", "False": "`false`"}.get(default, f"`{default}`")
        assert shown == expected, name


@light
def test_every_job_is_documented(app: Application) -> None:
    assert set(table("jobs.md")) == set(app.handlers())


@light
def test_every_endpoint_says_what_it_does(app: Application) -> None:
    for path, item in create_app(app).openapi()["paths"].items():
        for method, call in item.items():
            assert call.get("description") or call.get("summary"), f"{method} {path}"


@light
def test_the_api_is_the_one_in_the_snapshot(app: Application) -> None:
    """A change of the API is a decision: `python docs/generate/openapi.py` writes the new snapshot."""
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == json.loads(
        json.dumps(create_app(app).openapi())
    )


def test_the_commands_scripts_rely_on_are_there() -> None:
    def names(group: Group, before: str = "") -> set[str]:
        found = set()
        for name, command in group.commands.items():
            found |= names(command, f"{before}{name} ") if isinstance(command, Group) else {before + name}
        return found

    wanted = ["serve", "worker", "migrate", "demo", "try", "reindex", "reconcile", "verify-audit"]
    assert names(cli) >= {
        *wanted,
        "user create",
        "token create",
        "agency create",
        "role grant",
        "inventory import",
    }


def test_every_command_and_option_is_described() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")

    def rows(group: Group, before: str = "") -> Iterator[tuple[str, Command]]:
        for name, command in group.commands.items():
            if isinstance(command, Group):
                yield from rows(command, f"{before}{name} ")
            else:
                yield before + name, command

    for name, command in rows(cli):
        row = re.search(rf"^\| `({name}[ `].*?)\|", page, re.MULTILINE)
        assert row, name
        options = [option for param in command.params for option in param.opts if option.startswith("--")]
        assert [option for option in options if option not in row[1]] == [], name


@pytest.mark.parametrize(
    "page", ["README.md", "README.zh.md", "docs/architecture.md", "deploy/README.md", "CONTRIBUTING.md"]
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), target
