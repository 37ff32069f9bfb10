"""Rows that clients write: tables, the journal of changes, aliases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "row_table",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("resource_id", sa.String(36), nullable=False),
        sa.Column("draft", sa.Boolean(), nullable=False),
        sa.Column("release_id", sa.String(36), nullable=True),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("primary_key", JSON, nullable=False),
        sa.Column("indexes", JSON, nullable=False),
        sa.Column("retired", JSON, nullable=False),
        sa.Column("base", sa.String(100), nullable=True),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("next_id", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("fold_asked", sa.Boolean(), nullable=False),
        sa.Column("frozen", sa.BigInteger(), nullable=False),
        sa.Column("frozen_file", sa.String(36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name="fk_row_table_resource_id_resource"),
        sa.PrimaryKeyConstraint("id", name="pk_row_table"),
        sa.UniqueConstraint("resource_id", "draft", name="uq_row_table_resource_id_draft"),
    )
    op.create_index("ix_row_table_updated_at", "row_table", ["updated_at"])
    op.create_table(
        "row_change",
        sa.Column("table_id", sa.String(36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("kills", sa.Boolean(), nullable=False),
        sa.Column("part", sa.String(36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["table_id"], ["row_table.id"], name="fk_row_change_table_id_row_table", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("table_id", "seq", name="pk_row_change"),
    )
    op.create_table(
        "row_alias",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("resource_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["resource_id"], ["resource.id"], name="fk_row_alias_resource_id_resource"),
        sa.PrimaryKeyConstraint("name", name="pk_row_alias"),
    )
    op.create_index("ix_row_alias_resource_id", "row_alias", ["resource_id"])


def downgrade() -> None:
    op.drop_table("row_alias")
    op.drop_table("row_change")
    op.drop_table("row_table")
