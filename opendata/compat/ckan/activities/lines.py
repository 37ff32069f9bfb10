"""Which lines of the audit trail are activities, of what, and who sees them.

What went out is an activity for everybody who sees the dataset, for as long as that release is public. Datasets that never
went out, and what was taken back, are activities for their own people. An edit of a draft is none: it counts once it goes
out. Accounts are for those who have one; what a sysadmin recorded by hand is for sysadmins, since nobody has reviewed it.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, or_, select

from opendata.access import policy
from opendata.accounts.models import User
from opendata.catalog.models import Dataset, Release
from opendata.compat.ckan.activities import brought
from opendata.compat.ckan.activities.brought import BROUGHT, Entry
from opendata.work.audit import AuditRow
from opendata.work.unit import Work

PUBLISHED, CREATED, WITHDRAWN, DELETED = (
    "release.published",
    "dataset.created",
    "dataset.withdrawn",
    "dataset.deleted",
)
RECORDED = "activity.recorded"
CLOSED = "deleted organization"
_NAMES: Mapping[str, str] = {
    CREATED: "new package",
    WITHDRAWN: "changed package",
    DELETED: "deleted package",
    "group.created": "new group",
    "group.edited": "changed group",
    "group.renamed": "changed group",
    "group.deleted": "deleted group",
    "agency.created": "new organization",
    "agency.edited": "changed organization",
    "account.created": "new user",
    "account.edited": "changed user",
}
"""What lines are called as activities; of a publication it depends on whether it is the first one."""
OBJECTS: Mapping[str, str] = {
    "package": "dataset",
    "group": "group",
    "organization": "agency",
    "user": "account",
}
"""What activities are of, as the trail calls it."""
TYPES = frozenset({*_NAMES.values(), CLOSED})
_PREFIX = "ac710000-0000-8000-8000-"
_ID = re.compile(f"{_PREFIX}([0-9a-f]{{12}})")
_action, _at = AuditRow.action, AuditRow.at


def activity_id(seq: int) -> str:
    return f"{_PREFIX}{seq:012x}"


@dataclass(frozen=True)
class Line:
    """An activity: the line, and of a dataset that dataset with the release that went out."""

    row: AuditRow
    activity_type: str
    dataset: Dataset | None
    release: Release | None
    is_public: bool
    """Of a dataset: whether everybody sees it."""
    entry: Entry | None = None
    """Of what was brought over: which one of the line's it is."""

    @property
    def id(self) -> str:
        """The line's number in an id's form; what was recorded by hand or brought over has one of its own."""
        if self.entry:
            return self.entry.id
        return str(self.row.details["id"]) if self.row.action == RECORDED else activity_id(self.row.seq)

    @property
    def at(self) -> datetime:
        return self.entry.at if self.entry else self.row.at

    @property
    def user_id(self) -> str | None:
        """Who did it. A publication is its author's, not of the second reviewer who set it free."""
        if self.entry:
            return self.entry.by
        if self.row.action == RECORDED:
            return str(self.row.details["user_id"])
        return self.release.author_id if self.release else self.row.actor_id

    @property
    def object_id(self) -> str:
        return self.dataset.id if self.dataset else self.row.subject_id


@dataclass(frozen=True)
class Wanted:
    """A part of a stream. `types` are wanted or, with `without`, not wanted; an empty list of them is no filter."""

    limit: int
    offset: int = 0
    before: datetime | None = None
    after: datetime | None = None
    types: Sequence[str] = ()
    without: bool = False

    @property
    def upwards(self) -> bool:
        """With `after` alone, the first ones after it are meant."""
        return self.after is not None and self.before is None

    @property
    def end(self) -> int:
        return self.offset + self.limit


def listed(work: Work, scope: ColumnElement[bool], wanted: Wanted, by: Collection[str] = ()) -> list[Line]:
    """Activities within a scope, or brought over as done by these people, that the actor sees, the newest first."""
    old = brought.keys(work, scope, wanted, by)
    if not old:
        query = _ours(work, scope, wanted).offset(wanted.offset).limit(wanted.limit)
        found = [_line(*row) for row in work.session.execute(query).all()]
    else:
        seen = _ours(work, scope, wanted).with_only_columns(AuditRow.seq, _at).limit(wanted.end)
        ours = [(at, seq, -1) for seq, at in work.session.execute(seen).all()]
        merged = heapq.merge(ours, old, key=lambda key: key[0], reverse=not wanted.upwards)
        found = _loaded(work, list(islice(merged, wanted.offset, wanted.end)))
    return found[::-1] if wanted.upwards else found


def _ours(work: Work, scope: ColumnElement[bool], wanted: Wanted) -> Select[AuditRow, Dataset, Release, bool]:
    query = _lines(work).where(scope)
    if wanted.types:
        chosen = or_(*(_kind(name) for name in wanted.types))
        query = query.where(not_(chosen) if wanted.without else chosen)
    if wanted.before is not None:
        query = query.where(_at < wanted.before)
    if wanted.after is not None:
        query = query.where(_at > wanted.after)
    return query.order_by(AuditRow.seq.asc() if wanted.upwards else AuditRow.seq.desc())


def _loaded(work: Work, keys: Sequence[brought.Key]) -> list[Line]:
    """Lines and entries of lines, by (time, number of the line, place of the entry or -1)."""
    seqs = {seq for _at, seq, place in keys if place < 0}
    ours = {
        row[0].seq: _line(*row) for row in work.session.execute(_lines(work).where(AuditRow.seq.in_(seqs)))
    }
    old = brought.entries(work, {seq for _at, seq, place in keys if place >= 0})
    return [ours[seq] if place < 0 else _of_entry(*old[seq, place]) for _at, seq, place in keys]


def _of_entry(row: AuditRow, dataset: Dataset | None, entry: Entry) -> Line:
    is_public = entry.public and dataset is not None and policy.is_public(dataset)
    return Line(row, entry.type, dataset, None, is_public, entry)


def one(work: Work, activity_id: str) -> Line | None:
    """By its id, if the actor sees it."""
    number = _ID.fullmatch(activity_id)
    by_hand = and_(_action == RECORDED, AuditRow.details["id"].as_string() == activity_id)
    asked = AuditRow.seq == int(number[1], 16) if number else by_hand
    row = work.session.execute(_lines(work).where(asked)).one_or_none()
    if row or number:
        return _line(*row) if row else None
    key = brought.key(work, activity_id)
    return _loaded(work, [key])[0] if key else None


def before(work: Work, line: Line) -> Line | None:
    """The activity of the same dataset before that one."""
    query = _lines(work).where(of_datasets([line.object_id]), AuditRow.seq < line.row.seq)
    row = work.session.execute(query.order_by(AuditRow.seq.desc()).limit(1)).one_or_none()
    return _line(*row) if row else None


# -- scopes ----------------------------------------------------------------------------------------------------------


PACKAGES = or_(
    _action.in_((PUBLISHED, CREATED, WITHDRAWN, DELETED)),
    and_(_action == BROUGHT, AuditRow.subject_type == "dataset"),
)


def counted(work: Work, days: Sequence[datetime]) -> list[int]:
    """How many activities there are in all, and how many are older than each of these."""
    older = [func.count(case((_at < day, 1))) for day in days]
    query = select(func.count(), *older).where(_action.in_((PUBLISHED, RECORDED, *_NAMES)))
    ours, old = work.session.execute(query).one(), brought.counted(work, days)
    return [some + more for some, more in zip(ours, old, strict=True)]


def of_datasets(ids: Collection[str]) -> ColumnElement[bool]:
    """About these datasets: found by the trail's index of subjects."""
    return _about(Release.dataset_id.in_(ids), AuditRow.subject_id.in_(ids))


def of_agencies(ids: Collection[str]) -> ColumnElement[bool]:
    """About organizations and their public datasets."""
    mine = select(Dataset.id).where(Dataset.agency_id.in_(ids), policy.PUBLIC_FILTER)
    return or_(
        of_subjects("agency", ids), _about(Release.dataset_id.in_(mine), AuditRow.subject_id.in_(mine))
    )


def of_subjects(subject_type: str, ids: Collection[str] | Select[str]) -> ColumnElement[bool]:
    return and_(AuditRow.subject_type == subject_type, AuditRow.subject_id.in_(ids))


def of_users(users: Collection[User]) -> ColumnElement[bool]:
    """What people did here, and what was done to their accounts. A publication is its author's."""
    ids = [user.id for user in users]
    authored = select(Release.id).where(Release.author_id.in_(ids))
    published = and_(_action == PUBLISHED, of_subjects("release", authored))
    acted = and_(AuditRow.actor_name.in_([user.name for user in users]), _action.not_in((PUBLISHED, BROUGHT)))
    return or_(acted, of_subjects("account", ids), published)


def _about(of_releases: ColumnElement[bool], of_ids: ColumnElement[bool]) -> ColumnElement[bool]:
    releases = select(Release.id).where(of_releases)
    return or_(
        and_(AuditRow.subject_type == "release", AuditRow.subject_id.in_(releases)),
        and_(AuditRow.subject_type == "dataset", of_ids),
    )


# -- lines -----------------------------------------------------------------------------------------------------------


_OUT = and_(_action == PUBLISHED, policy.PUBLIC_FILTER, policy.PUBLIC_RELEASE)
_FIRST = _at == Dataset.first_published_at


def _lines(work: Work) -> Select[AuditRow, Dataset, Release, bool]:
    """All that the actor sees, with their datasets and releases."""
    dataset_id = case((_action == PUBLISHED, Release.dataset_id), else_=AuditRow.subject_id)
    of_dataset = and_(AuditRow.subject_type.in_(("release", "dataset")), Dataset.id == dataset_id)
    return (
        select(AuditRow, Dataset, Release, case((_OUT, True), else_=False))
        .outerjoin(Release, and_(_action == PUBLISHED, Release.id == AuditRow.subject_id))
        .outerjoin(Dataset, of_dataset)
        .where(_visible(work))
    )


def _visible(work: Work) -> ColumnElement[bool]:
    if work.actor.is_public:
        return or_(_OUT, _action.in_(_of("group", "organization")))
    mine = policy.seen_drafts_filter(work)
    return or_(
        _OUT,
        _action.in_(_of("group", "organization", "user")),
        and_(_action == PUBLISHED, mine),
        and_(_action == CREATED, Dataset.first_published_at.is_(None), mine),
        and_(_action.in_((WITHDRAWN, DELETED)), mine),
        *((_action == RECORDED,) if work.actor.sysadmin else ()),
    )


def _of(*kinds: str) -> list[str]:
    return [action for action, name in _NAMES.items() if name.endswith(kinds)]


def _kind(name: str) -> ColumnElement[bool]:
    """Lines of one type of activities. That an organization is closed is an edit of it."""
    conditions = [
        _action.in_([action for action, called in _NAMES.items() if called == name]),
        and_(_action == RECORDED, AuditRow.details["activity_type"].as_string() == name),
    ]
    if name in ("new package", "changed package"):
        conditions.append(and_(_action == PUBLISHED, _FIRST if name == "new package" else not_(_FIRST)))
    return or_(*conditions)


def _line(row: AuditRow, dataset: Dataset | None, release: Release | None, is_out: bool) -> Line:
    return Line(row, _activity_type(row, dataset), dataset, release, is_out)


def _activity_type(row: AuditRow, dataset: Dataset | None) -> str:
    if row.action == RECORDED:
        return str(row.details["activity_type"])
    if row.action == PUBLISHED:
        first = dataset is not None and row.at == dataset.first_published_at
        return "new package" if first else "changed package"
    if row.action == "agency.edited" and "active" in row.details.get("fields", ()):
        return CLOSED
    return _NAMES[row.action]
