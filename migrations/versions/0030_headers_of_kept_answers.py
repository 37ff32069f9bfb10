"""A repeated request is answered with the first answer's ETag and Location, too."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "idempotent_answer", sa.Column("etag", sa.String(length=200), nullable=False, server_default="")
    )
    op.add_column(
        "idempotent_answer", sa.Column("location", sa.String(length=500), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.drop_column("idempotent_answer", "location")
    op.drop_column("idempotent_answer", "etag")
