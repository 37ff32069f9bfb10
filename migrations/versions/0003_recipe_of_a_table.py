"""What a table was made of, so that a job that is run again, or a release of the same bytes, leaves it alone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("resource_table", sa.Column("recipe", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("resource_table", "recipe")
