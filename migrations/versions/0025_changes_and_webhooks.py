"""The log of what became of public datasets, webhooks, and what metadata are worth. What is public already is in the log from the beginning."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "dataset_change",
        sa.Column("position", NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("agency_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_dataset_change")),
        sa.UniqueConstraint("id", name=op.f("uq_dataset_change_id")),
    )
    op.create_index("ix_dataset_change_dataset", "dataset_change", ["dataset_id", "position"])
    op.create_index(op.f("ix_dataset_change_agency_id"), "dataset_change", ["agency_id"])
    op.execute(
        "INSERT INTO dataset_change (position, id, kind, dataset_id, name, agency_id, revision, content_hash, at)"
        " SELECT row_number() OVER (ORDER BY d.published_at, d.id), d.id, 'created', d.id, d.name, d.agency_id,"
        " d.revision, r.content_hash, d.published_at FROM dataset d JOIN release r ON r.id = d.published_id"
        " WHERE d.state = 'active'"
    )
    _webhook()
    _webhook_delivery()
    _mqa_score()


def _webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("events", JSON, nullable=False),
        sa.Column("agency_id", sa.String(length=36), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", TIME, nullable=True),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_webhook_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index(op.f("ix_webhook_agency_id"), "webhook", ["agency_id"])


def _webhook_delivery() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("webhook_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=30), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("next_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["webhook.id"],
            name=op.f("fk_webhook_delivery_webhook_id_webhook"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("webhook_id", "position", name=op.f("uq_webhook_delivery_webhook_id_position")),
    )
    op.create_index("ix_webhook_delivery_state", "webhook_delivery", ["webhook_id", "state"])
    op.create_index(op.f("ix_webhook_delivery_last_at"), "webhook_delivery", ["last_at"])


def _mqa_score() -> None:
    op.create_table(
        "mqa_score",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("failing", sa.Integer(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_mqa_score")),
    )


def downgrade() -> None:
    for table in ("mqa_score", "webhook_delivery", "webhook", "dataset_change"):
        op.drop_table(table)
