"""Groups above a theme group."""

import sqlalchemy as sa
from alembic import op

from opendata.core.database import JSON_VALUE

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("theme_group", sa.Column("parents", JSON_VALUE, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("theme_group", "parents")
