"""The publication policy in force: the setting, written down so that the database's guard and the audit trail know it."""

from __future__ import annotations

from sqlalchemy import select

from opendata.publishing.models import PolicyRecord
from opendata.settings import Policy
from opendata.work.unit import Work

_RECORD = PolicyRecord.__table__.c
_LAST = select(_RECORD.policy).order_by(_RECORD.id.desc()).limit(1)
_IN_FORCE = "publication policy in force"


def in_force(work: Work) -> Policy:
    """The last recorded policy; `reviewed` before any record."""
    return work.rule(_IN_FORCE, ("portal",), lambda: _read(work))


def ensure(work: Work, policy: Policy) -> None:
    """Records the policy if it is not the one in force."""
    before = in_force(work)
    if before is policy and work.session.execute(select(PolicyRecord.id).limit(1)).first():
        return
    work.session.add(PolicyRecord(policy=policy.value, since=work.now))
    work.session.flush()
    work.forget(_IN_FORCE)
    work.record("policy.set", "portal", "publication_policy", before=before.value, after=policy.value)


def _read(work: Work) -> Policy:
    found = work.session.connection().execute(_LAST).scalar_one_or_none()
    return Policy(found) if found else Policy.REVIEWED
