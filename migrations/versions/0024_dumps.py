"""Parts of the files that hold the whole catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dump_part",
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("after", sa.String(length=36), nullable=False),
        sa.Column("last", sa.String(length=36), nullable=False),
        sa.Column("datasets", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("format", "position", name=op.f("pk_dump_part")),
    )


def downgrade() -> None:
    op.drop_table("dump_part")
