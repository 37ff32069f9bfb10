"""People of theme groups, vocabularies and their terms, identities of resource views."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "theme_group_member",
        sa.Column("group_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("capacity", sa.String(length=20), nullable=False),
        sa.Column("granted_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["theme_group.id"], name=op.f("fk_theme_group_member_group_id_theme_group")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["account.id"], name=op.f("fk_theme_group_member_user_id_account")
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_theme_group_member")),
    )
    op.create_index(op.f("ix_theme_group_member_user_id"), "theme_group_member", ["user_id"])
    op.create_table(
        "vocabulary",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vocabulary")),
        sa.UniqueConstraint("name", name=op.f("uq_vocabulary_name")),
    )
    op.create_table(
        "vocabulary_tag",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("vocabulary_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["vocabulary_id"],
            ["vocabulary.id"],
            name=op.f("fk_vocabulary_tag_vocabulary_id_vocabulary"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vocabulary_tag")),
        sa.UniqueConstraint("vocabulary_id", "name", name=op.f("uq_vocabulary_tag_vocabulary_id_name")),
    )
    op.create_table(
        "resource_view",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("resource_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resource.id"], name=op.f("fk_resource_view_resource_id_resource")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_view")),
    )
    op.create_index(op.f("ix_resource_view_resource_id"), "resource_view", ["resource_id"])
