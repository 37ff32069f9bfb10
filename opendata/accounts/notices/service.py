"""Telling people, and their having read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, update

from opendata.accounts.notices.models import Notice, Occasion
from opendata.accounts.notices.queries import own
from opendata.core.ids import new_id
from opendata.work.unit import Work


def tell(
    work: Work, user_ids: Iterable[str], occasion: Occasion, *, about: str, path: str, **params: Any
) -> None:
    """A notice to each of them but the one who acts. `about` makes it this one: told again, it is no news."""
    key = f"{occasion.value}:{about}"[:120]
    wanted = {user_id for user_id in user_ids if user_id != work.actor.id}
    if not wanted:
        return
    told = select(Notice.user_id).where(Notice.key == key, Notice.user_id.in_(wanted))
    for user_id in sorted(wanted - set(work.session.execute(told).scalars())):
        work.session.add(
            Notice(
                id=new_id(),
                user_id=user_id,
                key=key,
                occasion=occasion.value,
                params=params,
                path=path,
                at=work.now,
            )
        )
    work.session.flush()


def mark_read(work: Work, notice_ids: Iterable[str] | None = None) -> None:
    """The actor has read these; all of the own ones, if none are named. Other people's stay as they are."""
    query = update(Notice).where(own(work), Notice.read_at.is_(None))
    if notice_ids is not None:
        query = query.where(Notice.id.in_(list(notice_ids)))
    work.session.execute(query.values(read_at=work.now))


def take_back(work: Work, path: str) -> None:
    """What waited there is settled: its notices count as read."""
    work.session.execute(
        update(Notice).where(Notice.path == path, Notice.read_at.is_(None)).values(read_at=work.now)
    )
