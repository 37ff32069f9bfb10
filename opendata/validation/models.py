"""What is known of a file's contents: its profile, its report against a schema (both are facts about bytes), and how it was
cleaned."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class FileProfile(Base):
    """Layout, inferred schema, row count and first rows of a file as read with some options."""

    __tablename__ = "file_profile"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    options_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Over the options, the file name's extension included."""
    error: Mapped[dict[str, Any] | None]
    """{code, params} if the file could not be read as a table."""
    profile: Mapped[dict[str, Any] | None]
    """{layout, schema, rows, columns, sample}; None for an error and for a file that is no table."""
    made_at: Mapped[datetime]


class FileReport(Base):
    """A validation report: for one file, read with some options, against one schema."""

    __tablename__ = "file_report"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Over schema and options."""
    valid: Mapped[bool]
    structural: Mapped[bool]
    """Has errors that make the table unusable (unreadable, wrong columns), not only wrong cells."""
    error_count: Mapped[int]
    report: Mapped[dict[str, Any]]
    """A frictionless report descriptor."""
    made_at: Mapped[datetime]


class Prepared(Base):
    """What a job makes of a large file: `preparing`."""

    __tablename__ = "prepared"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Over the question: kind, file, arguments."""
    kind: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the file that it is about."""
    size: Mapped[int] = mapped_column(BigInteger)
    args: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(20))
    """waiting, done, failed."""
    answer: Mapped[dict[str, Any] | None]
    """What the task answered, under `value`."""
    object_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    """The file that was made, in the inbox store."""
    error: Mapped[dict[str, Any] | None]
    """{code, params} if it failed."""
    asked_at: Mapped[datetime] = mapped_column(index=True)


class Cleaning(Base):
    """A file that was cleaned by a recipe, which is kept for the next delivery."""

    __tablename__ = "cleaning"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    resource_id: Mapped[str] = mapped_column(String(36), index=True)
    source_sha256: Mapped[str] = mapped_column(String(64))
    """The file before, which stays."""
    sha256: Mapped[str] = mapped_column(String(64))
    recipe: Mapped[dict[str, Any]]
    """`cleaning.recipe.Recipe`"""
    made_by: Mapped[str | None] = mapped_column(String(36))
    made_at: Mapped[datetime]
