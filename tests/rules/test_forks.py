"""The processes that run tests are forks (tests/support/forks.py): modules are loaded once, and all else is as pytest-xdist has it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).parents[1] / "support"
CONFTEST = "from forks import pytest_xdist_setupnodes as pytest_xdist_setupnodes\n"
MODULE = """
import os, random, threading
open("loaded", "a").write(f"{os.getpid()}\\n")

def note(name):
    open(name, "a").write(f"{os.getpid()} {os.getppid()} {random.random()}\\n")

def test_passes():
    note("ran")

def test_is_another_process():
    note("ran")

def test_fails():
    assert 1 + 1 == 3

def test_dies():
    os._exit(3)
"""


@pytest.mark.heavy
def test_forks_load_once_and_die_alone(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_one.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "test_two.py").write_text("import no_such_module\n", encoding="utf-8")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "conftest.py").write_text("import no_such_tool\n", encoding="utf-8")
    (tmp_path / "inner" / "test_three.py").write_text("def test_three(): pass\n", encoding="utf-8")
    paths = os.pathsep.join([str(SUPPORT), str(SUPPORT.parents[1])])
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n2",
        "--dist=worksteal",
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, "--continue-on-collection-errors", "-rfE", "."],
        cwd=tmp_path,
        env={**outside, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    for count in ("2 passed", "2 failed", "errors"):
        assert count in told.splitlines()[-1], told
    assert "no_such_module" in told
    assert "no_such_tool" in told
    assert "assert (1 + 1) == 3" in told, "assertions are rewritten"
    assert "crashed while running" in told
    parent, *others = (tmp_path / "loaded").read_text().split()
    assert not others, "loaded again by a fork"
    ran = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert {above for _, above, _ in ran} == {parent}
    assert len({drawn for _, _, drawn in ran}) == len(ran), "forks draw the same numbers"
    assert not Path("/proc", parent).exists(), "it outlives the run"
