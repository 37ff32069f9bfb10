"""Actions on background jobs: sysadmins see what waits and what runs. There is one queue, CKAN's `default`."""

from __future__ import annotations

from typing import Any

from opendata.compat.ckan.wire import Arguments, Call, denied, flag, listed, not_found, require, wrong
from opendata.ports.job_queue.port import Waiting

QUEUE = "default"
PROMISED = "a job is a part of the change that asked for it, and runs until it has ended; withdraw or recall the release"
MOST = 200
"""CKAN's ckan.jobs.default_list_limit."""


def job_list(call: Call) -> list[Any]:
    """Jobs that have not ended, the oldest first. `queues`, `limit` (200), `ids_only`."""
    _need_sysadmin(call)
    limit = _limit(call.args)
    if not {QUEUE} & set(_queues(call.args) or [QUEUE]):
        return []
    found = call.parts.queue.waiting(limit)
    return [job.id if flag(call.args, "ids_only") else _told(job) for job in found]


def job_show(call: Call) -> dict[str, Any]:
    """A job that has not ended. `id`."""
    _need_sysadmin(call)
    return _told(_job(call))


def job_cancel(call: Call) -> None:
    """Nobody cancels a job: it was promised when a release was handed in, which would stay where it is for ever. `id`."""
    _need_sysadmin(call)
    _job(call)
    raise denied(PROMISED)


def job_clear(call: Call) -> None:
    """Nobody clears the jobs, as nobody cancels one. `queues`."""
    _need_sysadmin(call)
    _queues(call.args)
    raise denied(PROMISED)


def _job(call: Call) -> Waiting:
    wanted = require(call.args, "id")
    job = next((job for job in call.parts.queue.waiting(0) if job.id == wanted), None)
    if job is None:
        raise not_found()
    return job


def _limit(args: Arguments) -> int:
    try:
        return max(0, int(str(args.get("limit") or MOST)))
    except ValueError:
        raise wrong({"limit": ["Invalid integer"]}) from None


def _queues(args: Arguments) -> list[str]:
    value = args.get("queues")
    if value is not None and not isinstance(value, list) and not str(value).startswith("["):
        raise wrong({"queues": ["Not a list"]})
    return [str(name) for name in listed(args, "queues")]


def _told(job: Waiting) -> dict[str, Any]:
    created = job.created_at.strftime("%Y-%m-%dT%H:%M:%S")
    return {"id": job.id, "title": job.name, "created": created, "queue": QUEUE}


def _need_sysadmin(call: Call) -> None:
    if not call.work.actor.sysadmin:
        raise denied()
