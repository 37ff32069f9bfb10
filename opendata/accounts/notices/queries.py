"""Reads of notices."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, false, func, select

from opendata.accounts.notices.models import Notice
from opendata.core.paging import Page
from opendata.work.actor import Scope
from opendata.work.unit import Work


def own(work: Work) -> ColumnElement[bool]:
    """The actor's own. They tell of drafts of every body the person works for: a token that is bound to one body, or may
    not read, gets none."""
    actor = work.actor
    if actor.id is None or actor.agency_only is not None or not actor.can(Scope.READ):
        return false()
    return Notice.user_id == actor.id


def mine(work: Work, *, unread: bool = False, offset: int = 0, limit: int = 100) -> Page[Notice]:
    """The actor's own, newest first."""
    query = select(Notice).where(own(work))
    if unread:
        query = query.where(Notice.read_at.is_(None))
    total = work.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = work.session.execute(query.order_by(Notice.at.desc(), Notice.id).offset(offset).limit(limit))
    return Page(rows.scalars().all(), total, offset, limit)


def unread(work: Work) -> int:
    """How many of the actor's are unread."""
    query = select(func.count()).where(own(work), Notice.read_at.is_(None))
    return work.session.execute(query).scalar_one()


def unmailed(work: Work, limit: int = 50) -> Sequence[Notice]:
    """Whose e-mail nobody has asked for yet, the oldest first."""
    query = select(Notice).where(Notice.mailed_at.is_(None), Notice.read_at.is_(None))
    return work.session.execute(query.order_by(Notice.at).limit(limit)).scalars().all()
