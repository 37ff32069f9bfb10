"""Platforms above to which the catalogue is reported, pushes to them, their lines, and what each platform has."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
ID = sa.String(length=36)
LIVE = sa.text("state IN ('waiting', 'comparing', 'sending')")
NOT_ENDED = sa.text("ended_at IS NULL")


def upgrade() -> None:
    _targets()
    _pushes()
    _records()


def _targets() -> None:
    op.create_table(
        "report_target",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("map", sa.String(length=50), nullable=False),
        sa.Column("own_map", JSON, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("agency_id", ID, nullable=True),
        sa.Column("pause", sa.Double(), nullable=False),
        sa.Column("schedule", sa.String(length=30), nullable=False),
        sa.Column("next_push_at", TIME, nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("created_by", ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_report_target_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_target")),
    )
    op.create_index(op.f("ix_report_target_agency_id"), "report_target", ["agency_id"])
    op.create_index(op.f("ix_report_target_next_push_at"), "report_target", ["next_push_at"])
    op.create_index(
        "ix_report_target_name", "report_target", ["name"], unique=True,
        sqlite_where=NOT_ENDED, postgresql_where=NOT_ENDED,
    )  # fmt: skip


def _pushes() -> None:
    op.create_table(
        "report_push",
        sa.Column("id", ID, nullable=False),
        sa.Column("target_id", ID, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("withdrawals", sa.Boolean(), nullable=False),
        sa.Column("asked_by", ID, nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("cancel_asked_at", TIME, nullable=True),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("failed_in_a_row", sa.Integer(), nullable=False),
        sa.Column("failure", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["target_id"], ["report_target.id"], name=op.f("fk_report_push_target_id_report_target")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_push")),
    )
    op.create_index("ix_report_push_target", "report_push", ["target_id", "id"])
    op.create_index(
        "ix_report_push_live", "report_push", ["target_id"], unique=True,
        sqlite_where=LIVE, postgresql_where=LIVE,
    )  # fmt: skip
    op.create_table(
        "report_line",
        sa.Column("push_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset_id", ID, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("action", sa.String(length=15), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", TIME, nullable=True),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("receipt", sa.String(length=500), nullable=False),
        sa.Column("message", sa.String(length=2000), nullable=False),
        sa.Column("told", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["push_id"], ["report_push.id"], name=op.f("fk_report_line_push_id_report_push")
        ),
        sa.PrimaryKeyConstraint("push_id", "number", name=op.f("pk_report_line")),
    )


def _records() -> None:
    op.create_table(
        "report_record",
        sa.Column("target_id", ID, nullable=False),
        sa.Column("dataset_id", ID, nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("receipt", sa.String(length=500), nullable=False),
        sa.Column("refused", sa.String(length=64), nullable=False),
        sa.Column("refusal", sa.String(length=2000), nullable=False),
        sa.Column("accepted_at", TIME, nullable=True),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["target_id"], ["report_target.id"], name=op.f("fk_report_record_target_id_report_target")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_report_record_dataset_id_dataset")
        ),
        sa.PrimaryKeyConstraint("target_id", "dataset_id", name=op.f("pk_report_record")),
    )


def downgrade() -> None:
    for table in ("report_record", "report_line", "report_push", "report_target"):
        op.drop_table(table)
