"""Who follows what, who looked at their dashboard, collaborators on single datasets, states of outside tasks, translations of terms."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ckan_follow",
        sa.Column("follower_id", sa.String(length=36), nullable=False),
        sa.Column("object_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["follower_id"], ["account.id"], name=op.f("fk_ckan_follow_follower_id_account")
        ),
        sa.PrimaryKeyConstraint("follower_id", "object_id", name=op.f("pk_ckan_follow")),
    )
    op.create_index(op.f("ix_ckan_follow_object_id"), "ckan_follow", ["object_id"])
    op.create_table(
        "ckan_dashboard",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["account.id"], name=op.f("fk_ckan_dashboard_user_id_account")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_ckan_dashboard")),
    )
    op.create_table(
        "dataset_collaborator",
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("capacity", sa.String(length=20), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_dataset_collaborator_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["account.id"], name=op.f("fk_dataset_collaborator_user_id_account")
        ),
        sa.PrimaryKeyConstraint("dataset_id", "user_id", name=op.f("pk_dataset_collaborator")),
    )
    op.create_index(op.f("ix_dataset_collaborator_user_id"), "dataset_collaborator", ["user_id"])
    op.create_index("ix_release_author", "release", ["author_id"])
    op.create_table(
        "ckan_task_status",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("entity_id", sa.String(length=200), nullable=False),
        sa.Column("entity_type", sa.String(length=200), nullable=False),
        sa.Column("task_type", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ckan_task_status")),
        sa.UniqueConstraint(
            "entity_id", "task_type", "key", name=op.f("uq_ckan_task_status_entity_id_task_type_key")
        ),
    )
    op.create_table(
        "ckan_term_translation",
        sa.Column("term", sa.String(length=1000), nullable=False),
        sa.Column("lang_code", sa.String(length=35), nullable=False),
        sa.Column("term_translation", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("term", "lang_code", name=op.f("pk_ckan_term_translation")),
    )


def downgrade() -> None:
    op.drop_table("ckan_term_translation")
    op.drop_table("ckan_task_status")
    op.drop_index("ix_release_author", "release")
    op.drop_table("dataset_collaborator")
    op.drop_table("ckan_dashboard")
    op.drop_table("ckan_follow")
