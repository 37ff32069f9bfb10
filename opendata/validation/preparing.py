"""What takes longer than anybody waits is made by a job, once for the same question: marked copies, proposals and cleanings of
large files. Asked again, the answer is there.

An answer is a fact about bytes, like a profile: who may have it is asked at the door, each time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from opendata.catalog.files import Stores, store_file
from opendata.core.canonical import sha256_json
from opendata.core.errors import Invalid
from opendata.ports.sandbox.port import LimitExceeded, Limits, Sandbox, TaskFailed
from opendata.ports.storage.port import ObjectMissing
from opendata.validation import trial
from opendata.validation.models import Prepared
from opendata.work.actor import SYSTEM
from opendata.work.unit import Work, Workplace

LARGE = trial.MOST_BYTES
"""From here on it is a job; what is smaller is answered at once."""
KEPT = timedelta(days=7)
RETRY_SECONDS = 10
FACTOR = 3
"""A marked file is read three times: looked at, judged, written."""


class Kind(StrEnum):
    MARKED = "marked"
    PROPOSAL = "proposal"
    CLEANED = "cleaned"


class State(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


_TASKS = {
    Kind.MARKED: ("opendata.validation.telling.tasks:annotate", "marked.xlsx"),
    Kind.PROPOSAL: ("opendata.validation.cleaning.tasks:propose", ""),
    Kind.CLEANED: ("opendata.validation.cleaning.tasks:clean", "cleaned.csv"),
}
"""What is called in the sandbox, and the file that it leaves."""


@dataclass(frozen=True)
class Question:
    kind: Kind
    sha256: str
    size: int
    args: Mapping[str, Any]
    """Of the task: name, schema, and options or a recipe."""

    @property
    def is_large(self) -> bool:
        return self.size > LARGE

    @property
    def key(self) -> str:
        return sha256_json({"kind": self.kind.value, "sha256": self.sha256, "args": dict(self.args)})


@dataclass(frozen=True)
class Maker:
    """What the job works with."""

    place: Workplace
    stores: Stores
    sandbox: Sandbox
    scratch: Path


def known(session: Session, question: Question) -> Prepared | None:
    return session.get(Prepared, question.key)


def ask(work: Work, question: Question) -> Prepared:
    """The row of the question. One that nobody has asked yet gets its job."""
    found = known(work.session, question)
    if found is None:
        found = Prepared(
            key=question.key, kind=question.kind.value, sha256=question.sha256, size=question.size, args=dict(question.args),
            state=State.WAITING.value, answer=None, object_sha256=None, error=None, asked_at=work.now,
        )  # fmt: skip
        work.session.add(found)
        once = f"{question.key}:{work.now.isoformat()}"
        work.enqueue("validation.prepare", {"key": question.key}, key=once)
    return found


def look(place: Workplace, question: Question) -> Prepared:
    """The row, asked for if need be. Blocks; not to be called in a transaction. `Invalid` as of `check`."""
    with place.reading(SYSTEM) as work:
        found = known(work.session, question)
    if found is None:
        with place.writing(SYSTEM) as work:
            found = ask(work, question)
    return check(found)


def check(found: Prepared) -> Prepared:
    """`Invalid` with the reason, if it did not succeed."""
    if found.state == State.FAILED.value and found.error is not None:
        raise Invalid(found.error["code"], **found.error["params"])
    return found


def prepare(maker: Maker, *, key: str) -> None:
    """The job. Idempotent; what the file itself forbids is an answer, too."""
    with maker.place.reading(SYSTEM) as work:
        asked = work.session.get(Prepared, key)
    if asked is None or asked.state != State.WAITING.value:
        return
    answer, made, error = _make(maker, asked)
    with maker.place.writing(SYSTEM) as work:
        found = work.session.get(Prepared, key)
        if found is not None:
            found.state = (State.FAILED if error else State.DONE).value
            found.answer, found.object_sha256, found.error = answer, made, error


def give_up(work: Work, key: str) -> None:
    """The job failed in a way that nobody foresaw."""
    found = work.session.get(Prepared, key)
    if found is not None and found.state == State.WAITING.value:
        found.state, found.error = (
            State.FAILED.value,
            {"code": "file_too_heavy", "params": {"limit": "crash"}},
        )


def expire(work: Work) -> None:
    """Answers of last week: their objects are nobody's then."""
    work.session.execute(delete(Prepared).where(Prepared.asked_at <= work.now - KEPT))


def forget_lost(work: Work, stores: Stores) -> None:
    """Answers whose object is in no store any more, after a restore: asked again, they are made again."""
    made = select(Prepared.key, Prepared.object_sha256).where(Prepared.object_sha256.is_not(None))
    for key, sha256 in work.session.execute(made).all():
        try:
            stores.inbox.stat(sha256 or "")
        except ObjectMissing:
            work.session.execute(delete(Prepared).where(Prepared.key == key))


def _make(maker: Maker, asked: Prepared) -> tuple[Any, str | None, dict[str, Any] | None]:
    task, left = _TASKS[Kind(asked.kind)]
    try:
        with (
            maker.stores.local_copy(asked.sha256) as path,
            tempfile.TemporaryDirectory(prefix="load-", dir=maker.scratch) as folder,
        ):
            answer = maker.sandbox.run(
                task,
                args=dict(asked.args),
                inputs={"path": path},
                output=Path(folder) if left else None,
                limits=Limits.for_bytes(FACTOR * asked.size),
            )
            made = store_file(maker.stores.inbox, Path(folder, left)).sha256 if left else None
    except TaskFailed as failure:
        return None, None, {"code": failure.code, "params": failure.params}
    except LimitExceeded as failure:
        return None, None, {"code": "file_too_heavy", "params": {"limit": failure.limit}}
    except ObjectMissing:
        return None, None, {"code": "file_unavailable", "params": {"retry_after": 60}}
    return {"value": answer}, made, None
