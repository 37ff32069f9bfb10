"""The opening plan and which lines are open, the negative list and its hits, roles for the whole site, published heads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("account", sa.Column("site_roles", JSON, nullable=False, server_default="[]"))
    _plan()
    _negative_list()
    op.create_table(
        "audit_published_head",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_audit_published_head")),
    )
    op.create_index(op.f("ix_audit_actor_name"), "audit", ["actor_name"])
    op.create_index(op.f("ix_audit_action"), "audit", ["action"])


def _plan() -> None:
    op.create_table(
        "plan_item",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.String(length=36), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("delayed_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("lead_unit", sa.String(length=200), nullable=False),
        sa.Column("responsible_unit", sa.String(length=200), nullable=False),
        sa.Column("open_method", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["inventory_line.id"],
            name=op.f("fk_plan_item_line_id_inventory_line"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_item")),
        sa.UniqueConstraint("year", "line_id", name=op.f("uq_plan_item_year_line_id")),
    )
    op.create_index(op.f("ix_plan_item_line_id"), "plan_item", ["line_id"])
    op.create_table(
        "line_opening",
        sa.Column("line_id", sa.String(length=36), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["inventory_line.id"],
            name=op.f("fk_line_opening_line_id_inventory_line"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_line_opening")),
    )
    op.execute(
        "INSERT INTO line_opening (line_id, opened_at)"
        " SELECT l.line_id, MIN(d.first_published_at) FROM dataset_line l JOIN dataset d ON d.id = l.dataset_id"
        " WHERE d.state = 'active' AND d.published_id IS NOT NULL GROUP BY l.line_id"
    )


def _negative_list() -> None:
    op.create_table(
        "negative_entry",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=500), nullable=False),
        sa.Column("ground", sa.String(length=30), nullable=False),
        sa.Column("basis", sa.String(length=1000), nullable=False),
        sa.Column("agency_id", sa.String(length=36), nullable=True),
        sa.Column("themes", JSON, nullable=False),
        sa.Column("keywords", JSON, nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("approved_by", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("lift_reason", sa.String(length=1000), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_negative_entry_agency_id_agency")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_negative_entry")),
        sa.UniqueConstraint("number", name=op.f("uq_negative_entry_number")),
    )
    op.create_index(op.f("ix_negative_entry_agency_id"), "negative_entry", ["agency_id"])
    op.create_table(
        "negative_hit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("release_id", sa.String(length=36), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("word", sa.String(length=100), nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["release.id"],
            name=op.f("fk_negative_hit_release_id_release"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["negative_entry.id"], name=op.f("fk_negative_hit_entry_id_negative_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_negative_hit")),
        sa.UniqueConstraint(
            "release_id",
            "content_hash",
            "entry_id",
            name=op.f("uq_negative_hit_release_id_content_hash_entry_id"),
        ),
    )
    op.create_index(op.f("ix_negative_hit_release_id"), "negative_hit", ["release_id"])


def downgrade() -> None:
    for table in ("negative_hit", "negative_entry", "line_opening", "plan_item", "audit_published_head"):
        op.drop_table(table)
    op.drop_index(op.f("ix_audit_actor_name"), "audit")
    op.drop_index(op.f("ix_audit_action"), "audit")
    op.drop_column("account", "site_roles")
