"""What only an index in a folder can meet: a kill, a second process, damaged files."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opendata.core.errors import Unavailable
from opendata.ports.search_index.embedded import EmbeddedIndex
from opendata.ports.search_index.port import Document, Request

WRITER = """
import sys
from pathlib import Path
from opendata.ports.search_index.embedded import EmbeddedIndex
from opendata.ports.search_index.port import Document

index = EmbeddedIndex(Path(sys.argv[1]))
def one(number):
    return Document(f"d{number}", 1, {"title": ["word"]}, {}, {}, {}, {}, b"x" * 5000)
number = 0
with index.rebuild() as building:
    while True:
        index.apply([one(number)], [])
        building.add([one(number)])
        print(number, flush=True)
        number += 1
"""


def document(id: str, revision: int = 1) -> Document:
    return Document(id, revision, {"title": ["word"]}, {}, {}, {}, {})


def test_kill_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Killed in the middle of writes and of a rebuild: all that `apply` returned for is there, and it goes on."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(12)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in writer.stdout.read().split("\n") if line.strip()]
    writer.wait()
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2, "the half-built one is there"
    index = EmbeddedIndex(tmp_path)
    found = {id for id, _ in index.revisions()}
    assert found >= {f"d{number}" for number in acknowledged}
    index.apply([document("after")], [])
    assert index.search(Request()).total == len(found) + 1
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1, "and has been swept away"
    index.close()


def test_second_process_reads_but_does_not_write(tmp_path: Path) -> None:
    first = EmbeddedIndex(tmp_path)
    first.apply([document("a")], [])
    second = EmbeddedIndex(tmp_path)
    assert second.search(Request()).total == 1
    with pytest.raises(Unavailable):
        second.apply([document("b")], [])
    first.close()
    second.apply([document("b")], [])
    assert second.search(Request()).total == 2
    second.close()


@pytest.mark.parametrize("damage", ["meta", "segment", "pointer", "folder", "other fields"])
def test_damage_leads_to_an_empty_index_to_be_rebuilt(tmp_path: Path, damage: str) -> None:
    index = EmbeddedIndex(tmp_path)
    index.apply([document("a")], [])
    assert index.needs_rebuild, "new"
    index.close()
    folder = tmp_path / (tmp_path / "current").read_text()
    match damage:
        case "meta":
            (folder / "meta.json").write_text("{")
        case "segment":
            next(folder.glob("*.store")).write_bytes(b"")
        case "pointer":
            (tmp_path / "current").write_text("../elsewhere")
        case "folder":
            shutil.rmtree(folder)
        case _:
            (tmp_path / "current").write_text("0" * 12 + "-1")
    again = EmbeddedIndex(tmp_path)
    assert again.needs_rebuild
    assert again.search(Request()).total == 0
    with again.rebuild() as building:
        building.add([document("a")])
    assert not again.needs_rebuild
    again.close()
    whole = EmbeddedIndex(tmp_path)
    assert (whole.search(Request()).total, whole.needs_rebuild) == (1, False)
    whole.close()
