"""The commands as an operator types them, in processes of their own: what goes wrong is one sentence, not a traceback.

Two of them are whole programs, `typed`: what is asked before anything is made, and what a database answers. The others are forks of
one that is loaded, which is most of their time.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from nursery import environment, nursery

from opendata.core.locks import FileLock


def named(settings: dict[str, str]) -> dict[str, str]:
    return {f"OPENDATA_{name.upper()}": value for name, value in settings.items()}


def opendata(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return nursery().run(*words, environment=environment(folder, named(settings)))


def typed(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "opendata.start", *words]
    return subprocess.run(
        command,
        env=environment(folder, named(settings)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"search_url": "foo"}, "OPENDATA_SEARCH_URL"),
        ({"storage_url": "ftp://x/y"}, "OPENDATA_STORAGE_URL"),
        ({"publication_policy": "fast"}, "OPENDATA_PUBLICATION_POLICY"),
        ({"site_url": "portal", "workers": "many"}, "OPENDATA_WORKERS"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    done = opendata(tmp_path / "data", "migrate", **settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = typed(tmp_path, "migrate", database_url=f"postgresql+psycopg://u:secret-word@127.0.0.1:{port}/x")
    assert done.returncode == 1
    assert done.stderr.startswith("The database does not answer (OPENDATA_DATABASE_URL)")
    assert "Traceback" not in done.stderr
    assert "secret-word" not in done.stderr


def test_a_port_that_is_taken_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = typed(tmp_path / "data", "serve", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_second_server_in_a_data_folder_is_refused(tmp_path: Path) -> None:
    assert opendata(tmp_path, "migrate").returncode == 0
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire()
    try:
        done = opendata(tmp_path, "serve", "--port", "0")
    finally:
        lock.release()
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_stored_is_not_for_other_accounts(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert opendata(folder, "user", "create", "ann", "--email", "ann@example.org").returncode == 0
    open_to_others = [path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o007]
    assert open_to_others == []


def test_the_server_loads_no_reader_of_strangers_files() -> None:
    """They belong into the sandbox; each costs the server memory, and some start threads that a fork would lose."""
    heavy = ("polars", "pyarrow", "duckdb", "deltalake", "frictionless", "numpy", "elasticsearch")
    program = f"import sys, opendata.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_portal_on_another_port_is_asked_for(tmp_path: Path) -> None:
    """`try` finds the folder taken and nobody at the port: it says which port it tried, and how to name the right one."""
    file = tmp_path / "table.csv"
    file.write_text("代码,名称\n0001,甲\n", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire()
    try:
        done = opendata(tmp_path, "try", str(file), "--port", str(port))
    finally:
        lock.release()
    assert done.returncode == 1
    assert "Another process runs in" in done.stderr
    assert f"http://127.0.0.1:{port}" in done.stderr
    assert "opendata try FILE --port N" in done.stderr
