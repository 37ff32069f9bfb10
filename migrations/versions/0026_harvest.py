"""Sources of records elsewhere, their runs, and what is held of them. What a trusted source hands in goes out without reviewers:
the guard of publication knows the decision."""

import runpy
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
ID = sa.String(length=36)
LIVE = sa.text("state IN ('waiting', 'gathering', 'held', 'applying')")
NOT_ENDED = sa.text("ended_at IS NULL")
REVIEWS = runpy.run_path(str(Path(__file__).with_name("0011_rounds_of_review.py")))
LIGHT = runpy.run_path(str(Path(__file__).with_name("0015_light_path_and_city_fields.py")))
# Exactly this content came from a source that an administrator trusts for this body; no person wrote at it, and the
# screening found nothing.
TRUSTED = """(NEW.policy = 'trusted' AND NEW.author_id IS NULL AND EXISTS (
    SELECT 1 FROM trust_passage p JOIN trust t ON t.id = p.trust_id JOIN dataset d ON d.agency_id = t.agency_id
    WHERE p.release_id = NEW.id AND p.content_hash = NEW.content_hash AND d.id = NEW.dataset_id AND t.ended_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM release_author a WHERE a.release_id = NEW.id)
    AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.release_id = NEW.id AND f.content_hash = NEW.content_hash))"""
GUARDS: dict[str, tuple[str, str, str]] = {
    "trust_by_administrator": (
        "INSERT ON trust",
        "NOT EXISTS (SELECT 1 FROM account a WHERE a.id = NEW.granted_by AND a.sysadmin AND a.active)",
        "only an administrator trusts a source",
    ),
    "trust_stands": (
        "UPDATE ON trust",
        "NEW.agency_id DIFFERS OLD.agency_id OR NEW.source DIFFERS OLD.source OR NEW.granted_by DIFFERS OLD.granted_by"
        " OR (OLD.ended_at IS NOT NULL AND NEW.ended_at DIFFERS OLD.ended_at)",
        "a decision to trust a source does not change; it ends",
    ),
    "trust_kept": ("DELETE ON trust", "1 = 1", "a decision to trust a source is kept"),
    "trust_passage_immutable": (
        "UPDATE ON trust_passage",
        "NEW.trust_id DIFFERS OLD.trust_id",
        "a passage stands",
    ),
    "trust_passage_kept": ("DELETE ON trust_passage", "1 = 1", "a passage is kept"),
}


def upgrade() -> None:
    _trust()
    _sources()
    _runs()
    _records()
    LIGHT["_publication"](LIGHT["_light"](), TRUSTED)
    for name, guard in GUARDS.items():
        for statement in REVIEWS["_guard"](name, *guard):
            op.get_bind().exec_driver_sql(statement)


def _trust() -> None:
    op.create_table(
        "trust",
        sa.Column("id", ID, nullable=False),
        sa.Column("agency_id", ID, nullable=False),
        sa.Column("source", sa.String(length=2200), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("granted_by", ID, nullable=False),
        sa.Column("granted_at", TIME, nullable=False),
        sa.Column("ended_by", ID, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_trust_agency_id_agency")),
        sa.ForeignKeyConstraint(["granted_by"], ["account.id"], name=op.f("fk_trust_granted_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trust")),
    )
    op.create_table(
        "trust_passage",
        sa.Column("release_id", ID, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("trust_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_trust_passage_trust_id_trust")),
        sa.PrimaryKeyConstraint("release_id", "content_hash", name=op.f("pk_trust_passage")),
    )
    op.create_index(op.f("ix_trust_passage_trust_id"), "trust_passage", ["trust_id"])


def _sources() -> None:
    op.create_table(
        "harvest_source",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("agency_id", ID, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("limits", JSON, nullable=False),
        sa.Column("licence", sa.String(length=100), nullable=False),
        sa.Column("copy_files", sa.Boolean(), nullable=False),
        sa.Column("gone_after_runs", sa.Integer(), nullable=False),
        sa.Column("gone_after_days", sa.Integer(), nullable=False),
        sa.Column("schedule", sa.String(length=30), nullable=False),
        sa.Column("next_run_at", TIME, nullable=True),
        sa.Column("trust_id", ID, nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_by", ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_harvest_source_agency_id_agency")
        ),
        sa.ForeignKeyConstraint(["trust_id"], ["trust.id"], name=op.f("fk_harvest_source_trust_id_trust")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harvest_source")),
    )
    op.create_index(op.f("ix_harvest_source_agency_id"), "harvest_source", ["agency_id"])
    op.create_index(op.f("ix_harvest_source_next_run_at"), "harvest_source", ["next_run_at"])
    op.create_index(
        "ix_harvest_source_name", "harvest_source", ["name"], unique=True,
        sqlite_where=NOT_ENDED, postgresql_where=NOT_ENDED,
    )  # fmt: skip


def _runs() -> None:
    op.create_table(
        "harvest_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("asked_by", ID, nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("cancel_asked_at", TIME, nullable=True),
        sa.Column("gathered", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("deletions", sa.String(length=10), nullable=False),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("failure", JSON, nullable=False),
        sa.Column("spool", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["harvest_source.id"], name=op.f("fk_harvest_run_source_id_harvest_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_harvest_run")),
    )
    op.create_index("ix_harvest_run_source", "harvest_run", ["source_id", "id"])
    op.create_index(
        "ix_harvest_run_live",
        "harvest_run",
        ["source_id"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_table(
        "harvest_outcome",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identifier", sa.String(length=500), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("dataset_id", ID, nullable=True),
        sa.Column("told", JSON, nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["harvest_run.id"], name=op.f("fk_harvest_outcome_run_id_harvest_run")
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_harvest_outcome")),
    )


def _records() -> None:
    op.create_table(
        "harvest_record",
        sa.Column("source_id", ID, nullable=False),
        sa.Column("identifier", sa.String(length=500), nullable=False),
        sa.Column("dataset_id", ID, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("page", sa.String(length=2000), nullable=False),
        sa.Column("origin", sa.String(length=500), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("resources", JSON, nullable=False),
        sa.Column("kept", JSON, nullable=False),
        sa.Column("first_run_id", ID, nullable=False),
        sa.Column("changed_run_id", ID, nullable=False),
        sa.Column("missing_since", TIME, nullable=True),
        sa.Column("missing_runs", sa.Integer(), nullable=False),
        sa.Column("archived_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"], ["harvest_source.id"], name=op.f("fk_harvest_record_source_id_harvest_source")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_harvest_record_dataset_id_dataset")
        ),
        sa.PrimaryKeyConstraint("source_id", "identifier", name=op.f("pk_harvest_record")),
        sa.UniqueConstraint("dataset_id", name=op.f("uq_harvest_record_dataset_id")),
    )
    op.create_index("ix_harvest_record_origin", "harvest_record", ["origin"])


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, (event, _condition, _reason) in GUARDS.items():
        table = event.rsplit(" ", 1)[-1]
        op.execute(f"DROP TRIGGER guard_{name}" + ("" if sqlite else f" ON {table}"))
        if not sqlite:
            op.execute(f"DROP FUNCTION guard_{name}()")
    LIGHT["_publication"](LIGHT["_light"]())
    for table in (
        "harvest_record",
        "harvest_outcome",
        "harvest_run",
        "harvest_source",
        "trust_passage",
        "trust",
    ):
        op.drop_table(table)
