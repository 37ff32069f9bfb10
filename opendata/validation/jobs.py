"""Jobs: `validation.check` reads and judges a draft's file as soon as it is there; `validation.prepare` makes what takes
too long to wait for."""

from __future__ import annotations

from opendata.catalog import queries, views
from opendata.core.failpoints import reach
from opendata.ports.storage.port import ObjectMissing
from opendata.validation import service
from opendata.validation.preparing import prepare
from opendata.validation.service import Judge
from opendata.work.actor import SYSTEM

__all__ = ["check", "prepare"]


def check(judge: Judge, *, release_id: str, resource_id: str) -> None:
    """Does nothing if the draft, the resource or the file is gone by now."""
    reach("check.taken")
    with judge.place.reading(SYSTEM) as work:
        release = queries.release(work.session, release_id)
        resource = views.resource(work.session, release, resource_id) if release else None
    if resource is None or resource.file is None:
        return
    try:
        service.judge(judge, resource.file, resource.meta)
    except ObjectMissing:
        return
