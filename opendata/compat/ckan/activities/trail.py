"""Actions that would delete activities: the audit trail, which they are lines of, is kept for ever."""

from __future__ import annotations

from datetime import timedelta

from opendata.compat.ckan.activities import lines
from opendata.compat.ckan.wire import Call, denied

_DAYS = (1, 30, 365)
KEPT = "activities are lines of the audit trail, which is kept whole"


def activity_delete_counts(call: Call) -> dict[str, int]:
    """How many activities there are, and how many are older than a day, a month, a year. For sysadmins."""
    _need_sysadmin(call)
    counts = lines.counted(call.work, [call.work.now - timedelta(days=n) for n in _DAYS])
    names = ("total", *(f"older_than_{n}_day{'s' if n > 1 else ''}" for n in _DAYS))
    return dict(zip(names, counts, strict=True))


def activity_delete(call: Call) -> None:
    """Deletes no activity: the audit trail is kept whole."""
    _need_sysadmin(call)
    raise denied(KEPT)


def activity_delete_all(call: Call) -> None:
    """Deletes no activities: the audit trail is kept whole."""
    _need_sysadmin(call)
    raise denied(KEPT)


def _need_sysadmin(call: Call) -> None:
    if not call.work.actor.sysadmin:
        raise denied()
