"""Indexes of what is public, so that a page of the newest, of a feed or of the inventory reads what it shows and no more.

The dataset repeats when its public release went out, for one index has the columns of one table; a guard keeps the two
equal."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PUBLIC = sa.text("state = 'active' AND published_id IS NOT NULL")
GONE = sa.text("withdrawn_at IS NOT NULL")
PUBLIC_LINES = sa.text("withheld_ground = ''")
READY = sa.text("state = 'ready'")
SAME = "(SELECT r.published_at FROM release r WHERE r.id = NEW.published_id)"
FILL = """UPDATE dataset SET published_at = (SELECT r.published_at FROM release r WHERE r.id = dataset.published_id)
    WHERE published_id IS NOT NULL"""
REASON = "guard: a dataset was published when its release was"
REPLACED = (
    ("ix_dataset_published", "dataset", "published_id"),
    ("ix_release_published_at", "release", "published_at"),
    ("ix_inventory_line_openness", "inventory_line", "openness"),
)
"""Nothing looks a dataset up by its release; the others are narrower than what replaces them, and get in its way."""
INDEXES = (
    ("ix_dataset_draft", "dataset", ["draft_id"], None),
    ("ix_dataset_withdrawn", "dataset", ["withdrawn_at"], GONE),
    ("ix_dataset_public_walk", "dataset", ["id", "published_at", "revision"], PUBLIC),
    ("ix_dataset_public_newest", "dataset", ["published_at", "id", "revision"], PUBLIC),
    ("ix_dataset_public_agency", "dataset", ["agency_id", "published_at", "id"], PUBLIC),
    ("ix_dataset_public_name", "dataset", ["name"], PUBLIC),
    ("ix_inventory_line_public_code", "inventory_line", ["resource_code", "id"], PUBLIC_LINES),
    (
        "ix_inventory_line_public_openness",
        "inventory_line",
        ["openness", "resource_code", "id"],
        PUBLIC_LINES,
    ),
    (
        "ix_inventory_line_public_facets",
        "inventory_line",
        ["agency_id", "domain", "openness", "data_level", "resource_code", "id"],
        PUBLIC_LINES,
    ),
    ("ix_inventory_line_updated_at", "inventory_line", ["updated_at"], None),
    ("ix_resource_table_rows", "resource_table", ["row_count"], READY),
    ("ix_resource_table_updated_at", "resource_table", ["updated_at"], None),
)


def upgrade() -> None:
    op.add_column("dataset", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(FILL)
    for name, table, _column in REPLACED:
        op.drop_index(name, table)
    for name, table, columns, only in INDEXES:
        op.create_index(name, table, columns, sqlite_where=only, postgresql_where=only)
    for statement in _guard():
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER guard_dataset_published_at" + ("" if sqlite else " ON dataset"))
    if not sqlite:
        op.execute("DROP FUNCTION guard_dataset_published_at()")
    for name, table, _columns, _only in INDEXES:
        op.drop_index(name, table)
    for name, table, column in REPLACED:
        op.create_index(name, table, [column])
    op.drop_column("dataset", "published_at")


def _guard() -> list[str]:
    if op.get_bind().dialect.name == "sqlite":
        return [
            "CREATE TRIGGER guard_dataset_published_at BEFORE UPDATE ON dataset"
            f" WHEN NEW.published_at IS NOT {SAME} BEGIN SELECT RAISE(ABORT, '{REASON}'); END"
        ]
    return [
        "CREATE FUNCTION guard_dataset_published_at() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.published_at IS DISTINCT FROM {SAME} THEN RAISE EXCEPTION '{REASON}'"
        " USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER guard_dataset_published_at BEFORE UPDATE ON dataset"
        " FOR EACH ROW EXECUTE FUNCTION guard_dataset_published_at()",
    ]
