"""The city's own metadata fields, in versions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "metadata_profile",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("made_by", sa.String(length=36), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_metadata_profile")),
    )


def downgrade() -> None:
    op.drop_table("metadata_profile")
