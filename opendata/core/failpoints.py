"""Places where a process can be made to die: the proof that a kill -9 at any step of the road loses and doubles nothing.

`OPENDATA_FAILPOINT=name` (or `name:3`, the third time) makes the process kill itself with SIGKILL when it gets there.
Without it `reach` does nothing. The variable is for tests alone and is read once, at import; `arm` says it to a process that
has loaded this already.
"""

from __future__ import annotations

import os
import signal
import threading

VARIABLE = "OPENDATA_FAILPOINT"

POINTS = {
    "file.stored": "The bytes are in the inbox store; no row names them.",
    "upload.flushed": "The row of an uploaded file is written, but not committed.",
    "upload.committed": "The row of an uploaded file is committed; the caller has no answer.",
    "request.flushed": "An endpoint has made its changes; they are not committed.",
    "request.committed": "An endpoint's changes are committed; the caller has no answer.",
    "check.taken": "The job that looks at a new file has begun.",
    "check.read": "A file has been judged; its report is not stored.",
    "check.written": "A file's report is written, but not committed.",
    "check.committed": "A file's report is committed; the job does not count as done.",
    "screen.taken": "The screening job has begun.",
    "screen.read": "The files are screened; the findings are not stored.",
    "screen.written": "The findings and the next job are written, but not committed.",
    "screen.committed": "The findings are committed; the job does not count as done.",
    "validate.taken": "The validation job has begun.",
    "validate.read": "The files are judged; the release stands where it stood.",
    "validate.written": "The release's move to the reviewers is written, but not committed.",
    "validate.committed": "The release is with the reviewers; the job does not count as done.",
    "publish.taken": "The publication job has begun.",
    "publish.one_copied": "One file is in the public store, the next one is not.",
    "publish.copied": "All files are in the public store; the release is not public.",
    "publish.written": "The publication is written, but not committed.",
    "publish.committed": "The release is public; the job does not count as done.",
    "load.taken": "The job that loads a table has begun.",
    "load.converted": "The rows are converted; the table store does not have them.",
    "load.replaced": "The table store has the rows; the database does not say so.",
    "load.written": "The table's row is written, but not committed.",
    "load.committed": "The table is ready; the job does not count as done.",
    "drain.applied": "The index has the change; it still counts as owed.",
    "drain.written": "What was owed is deleted, but not committed.",
    "reindex.filled": "A new index is filled; the old one still serves.",
    "reindex.swapped": "The new index serves; the job does not count as done.",
    "retract.taken": "The job that takes files back has begun.",
    "retract.kept": "A withdrawn file is in the inbox store, and still in the public one.",
    "retract.removed": "The withdrawn files have left the public store; the next job is not asked for.",
    "retract.written": "The next job is written, but not committed.",
    "retract.committed": "The files are taken back; the job does not count as done.",
    "drop.taken": "The job that removes tables has begun.",
    "drop.removed": "The tables are removed; their rows in the database are not.",
    "drop.written": "The rows' removal is written, but not committed.",
    "drop.committed": "The tables are gone; the job does not count as done.",
    "fold.made": "The rows that a client wrote are a new version of their table; the database still names the one before.",
    "freeze.stored": "They are stored as a file, too, which no row names yet.",
    "rows.taken": "The job that applies row orders has begun.",
    "rows.table_erased": "The rows that clients wrote are without those of the order; the files of the dataset wait.",
    "rows.made": "A file without its rows is stored; the row of the file still names the old one.",
    "rows.written": "The file's new bytes are written down, but not committed.",
    "rows.committed": "Doors give the new bytes; the next file of the dataset waits.",
    "rows.file_treated": "A file is done; the job goes on to the next one.",
    "rows.one_purged": "Old bytes are out of a store; others are not.",
    "rows.purged": "All old bytes are out of the stores; the order stands where it stood.",
    "rows.settled": "The order's next state is written, but not committed.",
    "webhook.taken": "The job that brings a message has begun.",
    "webhook.sent": "The receiver has the message; nothing says so.",
    "webhook.written": "That it arrived and the next job are written, but not committed.",
    "webhook.committed": "Both are committed; the job does not count as done.",
    "harvest.taken": "The job of a run, or its next piece, has begun.",
    "harvest.gathered": "All records of a source lie on disk; nothing says so.",
    "harvest.listed": "The lines of the plan are committed; the run does not count as planned.",
    "harvest.planned": "The run's next state and piece of work are written, but not committed.",
    "harvest.written": "A record is a dataset with its outcome, but not committed.",
    "harvest.committed": "A record is committed; others of the run wait.",
    "harvest.done": "The end of the run is written, but not committed.",
    "report.taken": "The job of a push, or its next piece, has begun.",
    "report.listed": "The lines of a push are committed; it does not count as compared.",
    "report.planned": "The push's next state and piece of work are written, but not committed.",
    "report.marked": "A record is marked as under way; nothing was sent.",
    "report.sent": "The platform above has answered; nothing says so.",
    "report.written": "A receipt is written with what the platform has, but not committed.",
    "report.committed": "A receipt is committed; other records of the push wait.",
    "report.done": "The end of the push is written, but not committed.",
    "usage.written": "A batch of uses is counted, but not committed.",
    "usage.committed": "A batch of uses is counted; it still lies in its file.",
}
"""Every place, in the order of the road. Each is in the code once, and tests/journeys/test_kill.py dies at each."""


_name, _left = "", 0
_lock = threading.Lock()


def arm(text: str) -> None:
    """Where this process dies: `name` or `name:3`; empty: nowhere."""
    global _name, _left
    name, _, count = text.partition(":")
    if name and name not in POINTS:
        raise ValueError(f"{VARIABLE}: no failpoint is called {name!r}")
    _name, _left = name, int(count or 1)


def reach(name: str) -> None:
    """The process is at this place."""
    global _left
    if name != _name:
        return
    with _lock:
        _left -= 1
        if _left == 0:
            os.write(2, f"failpoint {name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get(VARIABLE, ""))
