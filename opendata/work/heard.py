"""What a process keeps in mind between units of work, and for how long: as long as no audit line speaks of what it is about."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from opendata.core.database import table_of
from opendata.work import audit

KEPT_FOR = timedelta(seconds=30)
"""A change by hand, in the database itself, is seen after that time at the latest."""
_HEAD, _LINE = table_of(audit.AuditHead).c, table_of(audit.AuditRow).c
_NEWS = (
    select(_HEAD.seq, _LINE.subject_type)
    .select_from(_HEAD.seq.table.outerjoin(_LINE.seq.table, _LINE.seq > bindparam("since")))
    .where(_HEAD.id == 1)
)
"""A row for each line: to have each type once, SQLite would read all of the trail by the index of types."""


class Heard:
    """Follows the audit trail, and keeps answers. Belongs to one process; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began: datetime | None = None
        self._floor = self._upto = 0
        """Lines that were listened to: after the one, up to the other."""
        self._told: dict[str, int] = {}
        """Subject types, and a line up to which something was said of them."""
        self._answers: dict[Hashable, tuple[int, Any]] = {}

    def listen(self, session: Session, now: datetime) -> int:
        """The number of the last audit line. To be called before what it is to be the label of is read: an answer may be newer
        than its label, never older."""
        with self._lock:
            since = self._upto
            stale = self._began is None or not self._began <= now < self._began + KEPT_FOR
        if stale:
            head = audit.head(session)
            with self._lock:
                self._began, self._floor, self._upto = now, max(head, self._floor), max(head, self._upto)
                self._told.clear()
                self._answers.clear()
            return head
        found = session.connection().execute(_NEWS, {"since": since}).all()
        head = int(found[0].seq)
        with self._lock:
            self._upto = max(head, self._upto)
            for _head, subject_type in found:
                if subject_type is not None:
                    self._told[subject_type] = max(head, self._told.get(subject_type, 0))
        return head

    def holds(self, label: int, about: tuple[str, ...]) -> bool:
        """Whether what was read after that line, and is about such subjects, is true still, as far as was listened."""
        with self._lock:
            return label >= self._floor and all(label >= self._told.get(kind, 0) for kind in about)

    def recall(self, question: Hashable, about: tuple[str, ...]) -> tuple[Any] | None:
        """The answer, in a tuple; None if there is none that holds."""
        known = self._answers.get(question)
        return (known[1],) if known is not None and self.holds(known[0], about) else None

    def keep(self, question: Hashable, label: int, answer: Any) -> None:
        """For few, fixed questions: answers are kept as long as the process lives, and all threads get the same one."""
        self._answers[question] = (label, answer)
