"""Accounts, API tokens, web sessions, failed sign-ins. Secrets are stored as hashes only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class User(Base):
    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    """The sign-in name: lower-case letters, digits, `-` and `_`."""
    email: Mapped[str] = mapped_column(String(254), index=True)
    full_name: Mapped[str] = mapped_column(String(200), default="")
    about: Mapped[str] = mapped_column(default="")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    """argon2id; None: this account signs in by token only."""
    sysadmin: Mapped[bool] = mapped_column(default=False)
    site_roles: Mapped[list[Any]] = mapped_column(default=list)
    """Roles for the whole site (`work.actor.SiteRole`)."""
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    @property
    def called(self) -> str:
        """What pages call this person."""
        return self.full_name or self.name


class ApiToken(Base):
    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 in hex of the whole token: 256 random bits need no slow hash."""
    scopes: Mapped[list[Any]]
    agency_id: Mapped[str | None] = mapped_column(String(36))
    """Bound to one agency, if set."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class WebSession(Base):
    __tablename__ = "web_session"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the cookie's value."""
    user_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SignInFailure(Base):
    """Counts failures per account and per address; the wait grows with the count."""

    __tablename__ = "sign_in_failure"

    subject: Mapped[str] = mapped_column(String(300), primary_key=True)
    """`account:<name>` or `address:<ip>`."""
    count: Mapped[int]
    last_at: Mapped[datetime]
