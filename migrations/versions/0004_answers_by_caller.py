"""Answers kept under an Idempotency-Key belong to the credentials, not to the person: two tokens of one person may differ in
what they are allowed to see. What is kept now is kept for a day at most, and is forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _replace("caller", 64)


def downgrade() -> None:
    _replace("actor_id", 36)


def _replace(owner: str, length: int) -> None:
    op.drop_index("ix_idempotent_answer_created_at", "idempotent_answer")
    op.drop_table("idempotent_answer")
    op.create_table(
        "idempotent_answer",
        sa.Column(owner, sa.String(length=length), nullable=False),
        sa.Column("route", sa.String(length=300), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(owner, "route", "key", name=op.f("pk_idempotent_answer")),
    )
    op.create_index("ix_idempotent_answer_created_at", "idempotent_answer", ["created_at"])
