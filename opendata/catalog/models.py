"""Datasets, releases, resources, files, groups.

A dataset is an identity; what it says lives in its releases. A resource is an identity too: what it says is a
`ResourceVersion`, valid from the release number `since` up to, not including, `until`. So a new release of a dataset with
5,000 resources in which one was edited costs one row, and an old release can still be read whole.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FetchedValue,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    and_,
    false,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from opendata.catalog.lifecycle import State
from opendata.core.database import Base


class DatasetState(StrEnum):
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    """Was public; out of every door, with a reason."""
    DELETED = "deleted"
    """Put into the bin by its agency; its name can be used again once it is purged."""
    PURGED = "purged"
    """Out of the bin: nobody sees it, its name is free. Its releases stay for the audit trail."""


def _public_index(name: str, *columns: str) -> Index:
    """Of what is public alone, in the words of `access.policy.PUBLIC_FILTER`: lists and counts read it without the rows."""
    only = text("state = 'active' AND published_id IS NOT NULL")
    return Index(f"ix_dataset_public_{name}", *columns, sqlite_where=only, postgresql_where=only)


_GONE = text("withdrawn_at IS NOT NULL")


class Dataset(Base):
    __tablename__ = "dataset"
    __table_args__ = (
        UniqueConstraint("agency_id", "source_id"),
        Index("ix_dataset_draft", "draft_id"),
        Index("ix_dataset_withdrawn", "withdrawn_at", sqlite_where=_GONE, postgresql_where=_GONE),
        _public_index("walk", "id", "published_at", "revision", "name"),
        _public_index("newest", "published_at", "id", "revision"),
        _public_index("agency", "agency_id", "published_at", "id"),
        _public_index("name", "name"),
    )
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - SQLAlchemy reads it so

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    source_id: Mapped[str | None] = mapped_column(String(200))
    """The agency's own identifier."""
    state: Mapped[str] = mapped_column(String(20), default=DatasetState.ACTIVE)
    published_id: Mapped[str | None] = mapped_column(String(36))
    """The release that is public now."""
    published_at: Mapped[datetime | None]
    """When that release went out: its own time once more, so that lists of the newest need not look at all releases. A guard
    of the database keeps the two equal."""
    draft_id: Mapped[str | None] = mapped_column(String(36))
    """The open draft."""
    last_number: Mapped[int] = mapped_column(default=0)
    """The highest release number given so far."""
    revision: Mapped[int] = mapped_column(BigInteger, default=0, server_onupdate=FetchedValue())
    """Counts changes of the public face (the index and feeds use it); in the database, and the statement that counts brings
    the number back."""
    submit_at: Mapped[datetime | None] = mapped_column(index=True)
    """A CKAN client asked for publication: submit at this time unless it edits again before."""
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]
    first_published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdraw_reason: Mapped[str] = mapped_column(default="")


class Release(Base):
    __tablename__ = "release"
    __table_args__ = (
        UniqueConstraint("dataset_id", "number"),
        Index("ix_release_state", "state", "submitted_at"),
        Index("ix_release_author", "author_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"))
    number: Mapped[int]
    """1, 2, 3 … within the dataset."""
    state: Mapped[str] = mapped_column(String(20), default=State.DRAFT)
    sentence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """{code, params}: where it stands, as a clerk reads it (texts in edge/messages)."""
    meta: Mapped[dict[str, Any]]
    """The metadata by the profile (catalog.profile)."""
    defaulted: Mapped[list[Any]]
    """Names of metadata fields that were filled in, not written."""
    content_hash: Mapped[str | None] = mapped_column(String(64))
    """Set at submission."""
    policy: Mapped[str] = mapped_column(String(10), default="reviewed")
    """Under which policy it goes out; the database's guard reads it."""
    author_id: Mapped[str | None] = mapped_column(String(36))
    """Who submitted it; all who edited it are in `release_author`."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    publish_at: Mapped[datetime | None] = mapped_column(index=True)
    """Not before this time (embargo)."""
    published_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """When it was superseded or withdrawn."""
    edition: Mapped[int] = mapped_column(default=1)
    """Counts edits of the draft and of its resources; the ETag."""

    __mapper_args__ = {"version_id_col": edition}  # noqa: RUF012 - SQLAlchemy reads it so


class ReleaseAuthor(Base):
    """Everyone who edited a release: none of them may review it."""

    __tablename__ = "release_author"

    release_id: Mapped[str] = mapped_column(ForeignKey("release.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(36), primary_key=True)


class File(Base):
    """One uploaded file. Equal bytes share an object in the store; the row keeps name, owner and origin."""

    __tablename__ = "file"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    agency_id: Mapped[str] = mapped_column(String(36))
    uploaded_by: Mapped[str | None] = mapped_column(String(36))
    uploaded_at: Mapped[datetime]
    held: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A row order was placed that nobody has applied to it yet: no door gives its bytes or rows."""
    base_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    """The bytes before the rows were hidden, in the inbox store, while an order waits for its second person."""
    reading: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What holds of bytes that an order changed, in place of what the resource says: `options`, `format`, `media_type`."""


class Resource(Base):
    """The identity of a resource: its id, and so its address, outlives releases."""

    __tablename__ = "resource"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), index=True)
    created_at: Mapped[datetime]


class ResourceVersion(Base):
    __tablename__ = "resource_version"
    __table_args__ = (
        UniqueConstraint("resource_id", "since"),
        Index("ix_resource_version_span", "dataset_id", "since", "until"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), index=True)
    dataset_id: Mapped[str] = mapped_column(String(36))
    since: Mapped[int]
    until: Mapped[int | None]
    position: Mapped[int]
    meta: Mapped[dict[str, Any]]
    """name, description, format, media_type, url (of a link), schema, options (sheet, header_row, …), extras."""
    file_id: Mapped[str | None] = mapped_column(ForeignKey("file.id"), index=True)
    updated_at: Mapped[datetime]

    @classmethod
    def shown_by(cls, number: Any) -> ColumnElement[bool]:
        """Of its dataset's releases, the one of this number (a column, or a parameter) shows it."""
        return and_(cls.since <= number, or_(cls.until.is_(None), cls.until > number))


class DatasetLine(Base):
    """Which inventory lines a dataset opens (n:m)."""

    __tablename__ = "dataset_line"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    line_id: Mapped[str] = mapped_column(ForeignKey("inventory_line.id"), primary_key=True, index=True)


class Group(Base):
    """A theme across agencies (a CKAN group)."""

    __tablename__ = "theme_group"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(200), default="")
    description: Mapped[str] = mapped_column(default="")
    image_url: Mapped[str] = mapped_column(String(1000), default="")
    extras: Mapped[dict[str, Any]] = mapped_column(default=dict)
    parents: Mapped[list[Any]] = mapped_column(default=list)
    """Ids of the groups above it."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Image(Base):
    """An uploaded image of organizations and groups, public from the start; `image_url` names it."""

    __tablename__ = "image"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    """The end of its address: the hash with the ending of its kind."""
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(100))
    """As its first bytes say."""
    uploaded_by: Mapped[str | None] = mapped_column(String(36))
    uploaded_at: Mapped[datetime]


class GroupMember(Base):
    """Somebody of a theme group: an `admin` edits it, a `member` is named with it."""

    __tablename__ = "theme_group_member"

    group_id: Mapped[str] = mapped_column(ForeignKey("theme_group.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    capacity: Mapped[str] = mapped_column(String(20))
    granted_at: Mapped[datetime]


class Collaborator(Base):
    """Somebody who works on one dataset without working for its body: an `editor` edits its draft, a `member` reads it."""

    __tablename__ = "dataset_collaborator"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    capacity: Mapped[str] = mapped_column(String(20))
    granted_at: Mapped[datetime]


class Vocabulary(Base):
    """A list of terms that sysadmins keep (a CKAN vocabulary)."""

    __tablename__ = "vocabulary"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime]


class VocabularyTag(Base):
    """A term of a vocabulary."""

    __tablename__ = "vocabulary_tag"
    __table_args__ = (UniqueConstraint("vocabulary_id", "name"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    vocabulary_id: Mapped[str] = mapped_column(ForeignKey("vocabulary.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))


class ViewKey(Base):
    """The identity of a view of a resource (a CKAN resource view): what it says is in the resource's versions."""

    __tablename__ = "resource_view"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_id: Mapped[str] = mapped_column(ForeignKey("resource.id"), index=True)
