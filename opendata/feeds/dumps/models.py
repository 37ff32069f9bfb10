"""The parts of which the files of the whole catalogue consist."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from opendata.core.database import Base


class DumpPart(Base):
    """The bytes, in the public store, that tell of the datasets behind the id `after`, up to `last`."""

    __tablename__ = "dump_part"

    format: Mapped[str] = mapped_column(String(20), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    after: Mapped[str] = mapped_column(String(36))
    last: Mapped[str] = mapped_column(String(36))
    """Empty: to the end."""
    datasets: Mapped[int]
    left_out: Mapped[int] = mapped_column(default=0)
    """Values that have no place in RDF."""
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    """Of the last audit line before it was read: what was withdrawn by a later one may be in it."""
    made_at: Mapped[datetime]
