"""Alembic's environment: the project's metadata, the address from the caller or from the settings."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql import JSONB

from opendata.all_models import metadata
from opendata.core.database import UtcDateTime
from opendata.settings import Settings


def owned(name: str | None, kind: str, _parents: object) -> bool:
    """Only our own tables: the job queue keeps its own in the same database."""
    return kind != "table" or name in metadata.tables


def render(kind: str, item: object, _context: object) -> str | bool:
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSONB):
        return "postgresql.JSONB()"
    return False


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url") or Settings.from_env().database
    engine = create_engine(url)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_name=owned,
            render_item=render,
            render_as_batch=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
