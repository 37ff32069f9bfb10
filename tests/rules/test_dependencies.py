"""Dependencies: each explained, each locked with hashes, and the two locks of one mind."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RUNTIME = [Requirement(text) for text in PROJECT["dependencies"]]
DEVELOPMENT = [Requirement(text) for text in PROJECT["optional-dependencies"]["dev"]]


def explained(section: str) -> dict[str, tuple[str, str]]:
    """Package to (reason, licence), of one section of docs/dependencies.md."""
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    body = page.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in body.splitlines()
        if line.startswith("| ")
    ]
    return {row[0]: (row[1], row[2]) for row in rows if row[0] != "package"}


def locked(name: str) -> dict[str, list[tuple[Version, str, int]]]:
    """Package to its pins in a lock file: version, marker, number of hashes."""
    found: dict[str, list[tuple[Version, str, int]]] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / name).read_text("utf-8")):
        pin = re.match(r"([a-z0-9-]+)(?:\[[\w,-]+\])?==(\S+)(?: ; ([^\\\n]+))?", entry)
        if pin:
            hashes = entry.count("--hash=sha256:")
            found.setdefault(pin[1], []).append((Version(pin[2]), (pin[3] or "").strip(), hashes))
    return found


@pytest.mark.parametrize(
    ("section", "requirements"),
    [("What runs", RUNTIME), ("What tests and development need", DEVELOPMENT)],
    ids=["runtime", "development"],
)
def test_each_dependency_is_explained(section: str, requirements: list[Requirement]) -> None:
    rows = explained(section)
    assert set(rows) == {requirement.name for requirement in requirements}
    assert list(rows) == sorted(rows)
    assert all(reason and licence for reason, licence in rows.values())


@pytest.mark.parametrize("name", sorted(requirement.name for requirement in RUNTIME + DEVELOPMENT))
def test_its_licence_is_what_the_package_says(name: str) -> None:
    """Older packages say it in free words, or only by a classifier: the first word of ours must be among them."""
    licence = (explained("What runs") | explained("What tests and development need"))[name][1]
    said = metadata(name)
    expression = said.get("License-Expression")
    if expression:
        assert licence == expression
    else:
        classifiers = " ".join(
            text for text in said.get_all("Classifier") or [] if text.startswith("License")
        )
        family = licence.split("-")[0].replace("PSF", "Python Software Foundation")
        assert family.lower() in f"{classifiers} {said.get('License') or ''}".lower()


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [("requirements.lock", RUNTIME), ("requirements-dev.lock", RUNTIME + DEVELOPMENT)],
)
def test_each_dependency_is_locked_within_its_range(lock: str, requirements: list[Requirement]) -> None:
    pins = locked(lock)
    for requirement in requirements:
        versions = [version for version, _, _ in pins.get(requirement.name, [])]
        assert versions, f"{requirement.name} is not in {lock}: run `make lock`"
        assert all(requirement.specifier.contains(version, prereleases=True) for version in versions), (
            requirement
        )


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_versions_and_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)
    pins = locked(lock)
    assert len(pins) > len(RUNTIME)
    assert all(hashes for entries in pins.values() for _, _, hashes in entries)


def test_both_locks_name_the_same_versions() -> None:
    runtime, development = locked("requirements.lock"), locked("requirements-dev.lock")
    differing = {
        name
        for name, pins in runtime.items()
        if {p[0] for p in pins} != {p[0] for p in development.get(name, [])}
    }
    assert not differing
