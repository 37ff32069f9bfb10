"""Memory is bounded by design: what is resident does not grow with the rows. Each case in a process of its own, whose allocator
holds nothing of other tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.heavy
ROWS = 600_000
"""140 MB: thirty-two blocks, most of it long texts."""
GROWTH = 48 << 20
"""Bytes by which the second half may exceed the first: a reader that keeps what it has read exceeds it by 65 MB."""
FIELDS = [
    {"name": "id", "type": "integer"}, {"name": "holder", "type": "string"}, {"name": "issued", "type": "date"},
    {"name": "amount", "type": "number"}, {"name": "address", "type": "string"},
]  # fmt: skip
LOOK = """
import json, os, sys
from opendata.ports.sandbox.pipes import resident
seen = []
def look(*_):
    seen.append(resident(os.getpid()))
"""
VALIDATE = (
    LOOK
    + """
from frictionless import Schema, system
from frictionless.resources import TableResource
from opendata.validation import validate
path, schema, encoding = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
with system.use_context(trusted=True):
    table = TableResource(path=path, encoding=encoding, schema=Schema.from_descriptor(schema))
    assert validate(table, progress=look).valid
print(json.dumps(seen))
"""
)
JUDGE = (
    LOOK
    + """
from pathlib import Path
from opendata.tabular.profiling.whole import Onlooker
from opendata.validation.judging import judge_file
show = Onlooker.show
def shown(self, frame):
    show(self, frame)
    look()
Onlooker.show = shown
made = judge_file(Path(sys.argv[1]), "table.csv", None, json.loads(sys.argv[2]))
assert made["report"]["valid"]
print(json.dumps(seen))
"""
)


def lines(quote: str = "") -> Iterator[str]:
    yield "id,holder,issued,amount,address\n"
    for n in range(ROWS):
        day = f"20{n % 30:02d}-0{n % 9 + 1}-1{n % 10}"
        yield f"{n},南通示例企业{n % 99_991}号,{day},{n % 9973 + 1}.5,{quote}{'青年西路' * 14}{n}号{quote}\n"


@pytest.fixture
def grown(tmp_path: Path) -> Callable[..., int]:
    """By how many bytes the second half of a run exceeds the first."""

    def run(program: str, *, key: bool = False, encoding: str = "utf-8", quote: str = "") -> int:
        path = tmp_path / "table.csv"
        with path.open("w", encoding=encoding) as file:
            file.writelines(lines(quote))
        schema = {"fields": FIELDS, "primaryKey": ["id"] if key else []}
        command = [sys.executable, "-c", program, str(path), json.dumps(schema), encoding]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr[-2000:]
        seen: list[int] = json.loads(done.stdout)
        assert len(seen) >= 12
        half = len(seen) // 2
        return max(seen[half:]) - max(seen[:half])

    return run


@pytest.mark.parametrize("key", [False, True], ids=["plain", "keyed"])
@pytest.mark.parametrize(("encoding", "quote"), [("utf-8", ""), ("utf-8", '"'), ("gb18030", "")])
def test_validation(grown: Callable[..., int], key: bool, encoding: str, quote: str) -> None:
    """A key costs eight bytes a row."""
    assert grown(VALIDATE, key=key, encoding=encoding, quote=quote) < GROWTH


def test_validation_and_profile(grown: Callable[..., int]) -> None:
    assert grown(JUDGE) < GROWTH
