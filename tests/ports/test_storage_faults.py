"""A store in a folder when something breaks: full and failing disks, dead processes, lost files.

The harness *fail the n-th call* runs one upload again and again and lets its first, second, third … step fail until
it passes. After each failure: no object that is not whole, and the next upload works.
"""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from storage_bench import MIB, assert_whole, key, put

from opendata.core.errors import NoSpace, Unavailable
from opendata.ports.storage import local
from opendata.ports.storage.local import LocalStorage
from opendata.ports.storage.port import ObjectMissing


class FailingOs:
    """The module `os`, whose n-th call that touches the disk fails. Notes what was called."""

    STEPS = ("open", "fchmod", "write", "fsync", "link", "utime", "replace", "close")

    def __init__(self, fail_at: int = 0, number: int = errno.EIO, only: str = "") -> None:
        self.calls: list[str] = []
        self._fail_at, self._number, self._only = fail_at, number, only

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.STEPS:
            return real

        def step(*arguments: Any, **options: Any) -> Any:
            self.calls.append(name)
            if name == self._only or len(self.calls) == self._fail_at:
                if name == "close":  # a failing close closes all the same
                    real(*arguments, **options)
                raise OSError(self._number, os.strerror(self._number))
            return real(*arguments, **options)

        return step


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, NoSpace), (errno.EDQUOT, NoSpace), (errno.EIO, Unavailable)]
)
@pytest.mark.parametrize("there_before", [False, True], ids=["new", "again"])
def test_whichever_call_fails_nothing_half_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Unavailable], there_before: bool
) -> None:
    data = os.urandom(100_000)
    for n in range(1, 100):
        storage = LocalStorage(tmp_path / str(n))
        if there_before:
            put(storage, data)
        failing = FailingOs(n, number)
        monkeypatch.setattr(local, "os", failing)
        failure = None
        try:
            put(storage, data)
        except Unavailable as error:
            failure = error
        finally:
            monkeypatch.setattr(local, "os", os)
        assert failure is None or type(failure) is kind
        assert list((storage.root / "tmp").glob("*")) == []
        assert_whole(storage)
        assert hashlib.sha256(data).hexdigest() == put(storage, data)
        if len(failing.calls) < n:
            assert n > 5, "the harness saw no calls"
            return
    pytest.fail("the upload never passed")


def test_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(tmp_path)
    storage.delete(put(storage, b"bytes"))  # now the folders are there, whose making syncs too
    seen = FailingOs()
    monkeypatch.setattr(local, "os", seen)
    put(storage, b"bytes")
    order = [call for call in seen.calls if call in ("write", "fsync", "link")]
    assert order == ["write", "fsync", "link", "fsync"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_system_without_links_serves_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(local, "os", FailingOs(number=number, only="link"))
    storage = LocalStorage(tmp_path)
    name = put(storage, b"bytes")
    assert put(storage, b"bytes") == name
    assert assert_whole(storage) == [name]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_cut_object_is_mended_by_the_next_upload(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    name = put(storage, b"all the bytes")
    (tmp_path / key(name)).write_bytes(b"all")
    assert put(storage, b"all the bytes") == name
    assert assert_whole(storage) == [name]


def test_a_forgotten_writer_leaves_nothing(tmp_path: Path) -> None:
    writer = LocalStorage(tmp_path).writer()
    writer.write(b"bytes")
    del writer
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_store_that_lost_its_temporary_file_refuses(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    writer = storage.writer()
    writer.write(b"bytes")
    for path in (tmp_path / "tmp").iterdir():
        path.unlink()
    with pytest.raises(Unavailable):
        writer.commit()
    assert list(storage.objects()) == []


def test_strangers_in_the_folder_are_no_objects(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    name = put(storage, b"bytes")
    (tmp_path / "sha256/README").write_text("x")
    (tmp_path / key(name)).with_name("0" * 64).write_text("in the wrong folder")
    (tmp_path / key(name)).with_suffix(".part").write_text("no hash")
    assert assert_whole(storage) == [name]


def test_a_place_that_is_no_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    storage = LocalStorage(tmp_path / "file")
    with pytest.raises(Unavailable):
        storage.check()
    with pytest.raises(Unavailable):
        storage.writer()
    with pytest.raises((Unavailable, ObjectMissing)):
        storage.stat("0" * 64)


CHILD = """
import sys
from pathlib import Path
from opendata.ports.storage.local import LocalStorage
storage = LocalStorage(Path(sys.argv[1]))
"""


def child(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHILD + code, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_killed_process_leaves_only_what_the_sweep_takes(tmp_path: Path) -> None:
    ended = child(
        "import os, signal\nwriter = storage.writer()\nwriter.write(bytes(1000000))\nos.kill(os.getpid(), signal.SIGKILL)",
        tmp_path,
    )
    assert ended.returncode == -signal.SIGKILL
    storage = LocalStorage(tmp_path)
    assert list(storage.objects()) == []
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    assert storage.sweep_temporary(timedelta(hours=24)) == 0
    assert storage.sweep_temporary(timedelta(seconds=-5)) == 1
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_limit_of_the_process_on_files_is_no_space(tmp_path: Path) -> None:
    ended = child(
        "import resource\nfrom opendata.core.errors import NoSpace\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))\n"
        "writer = storage.writer()\n"
        "try:\n    writer.write(bytes(200000))\n"
        "except NoSpace as error:\n    print('refused', error.code, list(Path(sys.argv[1], 'tmp').iterdir()))\n"
        "writer = storage.writer()\nwriter.write(bytes(90000))\nprint(writer.commit().size)\n",
        tmp_path,
    )
    assert ended.stdout.splitlines() == ["refused no_space []", "90000"], ended.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise


def test_a_full_disk_refuses_reads_on_and_recovers(small_disk: Path) -> None:
    storage = LocalStorage(small_disk)
    kept = put(storage, os.urandom(500_000))
    with pytest.raises(NoSpace):
        put(storage, bytes(3 * MIB))
    assert assert_whole(storage) == [kept]
    assert list((small_disk / "tmp").iterdir()) == []
    filler = small_disk / "filler"
    fill(filler)
    with pytest.raises(NoSpace):
        storage.check()
    assert assert_whole(storage) == [kept]
    filler.unlink()
    storage.check()
    assert put(storage, bytes(MIB))


def test_web_server_reads_by_its_group_and_nobody_else(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "store")
    name = put(storage, b"bytes")
    path = storage.local_path(name)
    assert path == tmp_path / "store" / key(name)
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.parent.stat().st_mode & 0o007 == 0
    assert storage.presigned_url(name, filename="a", media_type="text/csv", seconds=9) is None


def test_objects_are_not_replaced_but_renewed(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    path = tmp_path / key(put(storage, b"bytes"))
    inode = path.stat().st_ino
    os.utime(path, (0, 0))
    put(storage, b"bytes")
    assert path.stat().st_ino == inode
    assert path.stat().st_mtime > 0
    assert storage.stat(path.name).stored_at.year > 2000
