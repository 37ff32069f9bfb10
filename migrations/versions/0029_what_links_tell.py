"""What servers tell of the files behind links, and for how long they want to be left alone. The walk over what is public finds
names in its index: the site map reads nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def _columns() -> list[sa.Column]:
    return [
        sa.Column("etag", sa.String(length=200), nullable=False, server_default=""),
        sa.Column("last_modified", sa.String(length=60), nullable=False, server_default=""),
        sa.Column("length", sa.BigInteger(), nullable=True),
        sa.Column("changed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("changed_on", sa.Date(), nullable=True),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
    ]


def _walk(columns: list[str]) -> None:
    public = sa.text("state = 'active' AND published_id IS NOT NULL")
    op.drop_index("ix_dataset_public_walk", "dataset")
    op.create_index(
        "ix_dataset_public_walk", "dataset", columns, sqlite_where=public, postgresql_where=public
    )


def upgrade() -> None:
    for column in _columns():
        op.add_column("link_check", column)
    _walk(["id", "published_at", "revision", "name"])


def downgrade() -> None:
    _walk(["id", "published_at", "revision"])
    for column in _columns():
        op.drop_column("link_check", column.name)
