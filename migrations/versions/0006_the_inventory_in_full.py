"""The inventory in full: units, the category in words, withheld lines; its versions; workbooks that wait for their clerk."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ELEMENTS = {
    "category_path": sa.String(length=200),
    "lead_unit": sa.String(length=200),
    "responsible_unit": sa.String(length=200),
    "withheld_ground": sa.String(),
}


def upgrade() -> None:
    for name, kind in ELEMENTS.items():
        op.add_column("inventory_line", sa.Column(name, kind, nullable=False, server_default=""))
    op.create_table(
        "inventory_version",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("line_id", sa.String(length=36), nullable=False),
        sa.Column("agency_id", sa.String(length=36), nullable=False),
        sa.Column("resource_code", sa.String(length=100), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(length=36), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("before", JSON, nullable=True),
        sa.Column("after", JSON, nullable=True),
        sa.Column("list_import_id", sa.String(length=36), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_inventory_version_agency_id_agency")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_version")),
    )
    for column in ("line_id", "agency_id", "at"):
        op.create_index(op.f(f"ix_inventory_version_{column}"), "inventory_version", [column])
    op.create_table(
        "inventory_import",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("rows", JSON, nullable=False),
        sa.Column("problems", JSON, nullable=False),
        sa.Column("notes", JSON, nullable=False),
        sa.Column("marked", sa.LargeBinary(), nullable=True),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agency_id"], ["agency.id"], name=op.f("fk_inventory_import_agency_id_agency")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_import")),
    )
    for column in ("agency_id", "created_at"):
        op.create_index(op.f(f"ix_inventory_import_{column}"), "inventory_import", [column])


def downgrade() -> None:
    op.drop_table("inventory_import")
    op.drop_table("inventory_version")
    for name in ELEMENTS:
        op.drop_column("inventory_line", name)
