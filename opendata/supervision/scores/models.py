"""Versions of the rules, and scores with the facts they were made of. A version and a final score do not change any more:
triggers of the database hold them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class RuleVersion(Base):
    __tablename__ = "score_rules"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]
    """`rules.RuleSet` as JSON."""
    reason: Mapped[str] = mapped_column(String(2000))
    created_by: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime]


class Score(Base):
    __tablename__ = "score"
    __table_args__ = (UniqueConstraint("quarter", "agency_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    agency_id: Mapped[str] = mapped_column(ForeignKey("agency.id"), index=True)
    quarter: Mapped[str] = mapped_column(String(6))
    """2026Q2."""
    rules_version: Mapped[int] = mapped_column(ForeignKey("score_rules.version"))
    facts: Mapped[dict[str, Any]]
    """The snapshot: counts by `facts.Fact`."""
    hundredths: Mapped[int]
    """Points of 100, in hundredths: 8753 is 87.53."""
    hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 over the canonical JSON of body, quarter, version, facts and hundredths."""
    final: Mapped[bool]
    """The quarter is over."""
    taken_at: Mapped[datetime]
