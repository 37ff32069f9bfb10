"""Row orders, tombstones, and every file that a resource ever had."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)

_FIXED = (
    "id", "number", "dataset_id", "agency_id", "kind", "ground", "reason", "document", "columns", "digests",
    "key_check", "placed_by", "placed_at",
)  # fmt: skip
_TOMB = (
    "id", "sha256", "dataset_id", "file_id", "order_id", "name", "reading", "replaced_by", "rows", "was_public",
    "hidden_at",
)  # fmt: skip


def _differ(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"NEW.{column} DIFFERS OLD.{column}" for column in columns)


GUARDS: dict[str, tuple[str, str, str]] = {
    "row_order_kept": ("DELETE ON row_order", "1 = 1", "a row order is kept"),
    "row_order_immutable": ("UPDATE ON row_order", _differ(_FIXED), "a row order stands"),
    "row_order_keys": (
        "UPDATE ON row_order",
        "NEW.keys DIFFERS OLD.keys AND NEW.keys DIFFERS '[]'",
        "keys of a row order are only ever forgotten",
    ),
    "row_order_purged_with_keys": (
        "UPDATE ON row_order",
        "NEW.state = 'purged' AND NEW.keys DIFFERS '[]'",
        "no key is kept once the bytes are purged",
    ),
    "row_order_state": (
        "UPDATE ON row_order",
        "NEW.state <> OLD.state AND NOT ((OLD.state = 'placed' AND NEW.state IN ('hidden', 'lifted'))"
        " OR (OLD.state = 'hidden' AND NEW.state IN ('confirmed', 'lifted'))"
        " OR (OLD.state = 'confirmed' AND NEW.state = 'purged') OR (OLD.state = 'purged' AND NEW.state = 'lifted'))",
        "a row order goes its way",
    ),
    "row_order_two_people": (
        "UPDATE ON row_order",
        "NEW.state IN ('confirmed', 'purged') AND (NEW.confirmed_by IS NULL OR NEW.confirmed_by = NEW.placed_by)",
        "two people purge",
    ),
    "row_order_born": ("INSERT ON row_order", "NEW.state <> 'placed'", "a row order begins as placed"),
    "row_tombstone_kept": ("DELETE ON row_tombstone", "1 = 1", "a tombstone is kept"),
    "row_tombstone_immutable": (
        "UPDATE ON row_tombstone",
        f"{_differ(_TOMB)} OR (OLD.purged_at IS NOT NULL AND NEW.purged_at DIFFERS OLD.purged_at)",
        "a tombstone stands",
    ),
    "resource_file_kept": ("DELETE ON resource_file", "1 = 1", "what a resource had stays known"),
}


def upgrade() -> None:
    op.add_column("file", sa.Column("held", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("file", sa.Column("base_sha256", sa.String(length=64), nullable=True))
    op.add_column("file", sa.Column("reading", JSON, server_default="{}", nullable=False))
    op.create_index(op.f("ix_file_base_sha256"), "file", ["base_sha256"])
    _row_order()
    _row_tombstone()
    _row_treatment()
    _resource_file()
    _create_guards()


def _row_order() -> None:
    op.create_table(
        "row_order",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("agency_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("ground", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("document", sa.String(length=200), nullable=False),
        *(sa.Column(name, JSON, nullable=False) for name in ("columns", "digests", "keys")),
        sa.Column("key_check", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("placed_by", sa.String(length=36), nullable=False),
        sa.Column("placed_at", TIME, nullable=False),
        sa.Column("hidden_at", TIME, nullable=True),
        sa.Column("confirmed_by", sa.String(length=36), nullable=True),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("purged_at", TIME, nullable=True),
        sa.Column("lifted_by", sa.String(length=36), nullable=True),
        sa.Column("lifted_at", TIME, nullable=True),
        sa.Column("lift_reason", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_row_order_agency_id_agency")),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_row_order_dataset_id_dataset")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_row_order")),
        sa.UniqueConstraint("number", name=op.f("uq_row_order_number")),
        sa.UniqueConstraint("year", "serial", name=op.f("uq_row_order_year_serial")),
    )
    op.create_index(op.f("ix_row_order_agency_id"), "row_order", ["agency_id"])
    op.create_index(op.f("ix_row_order_dataset_id"), "row_order", ["dataset_id"])
    op.create_index("ix_row_order_state", "row_order", ["state", "placed_at"])


def _row_tombstone() -> None:
    op.create_table(
        "row_tombstone",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("file_id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("reading", JSON, nullable=False),
        sa.Column("replaced_by", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("was_public", sa.Boolean(), nullable=False),
        sa.Column("hidden_at", TIME, nullable=False),
        sa.Column("purged_at", TIME, nullable=True),
        sa.Column("lifted_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_row_tombstone_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["row_order.id"], name=op.f("fk_row_tombstone_order_id_row_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_row_tombstone")),
    )
    for column in ("dataset_id", "file_id", "order_id"):
        op.create_index(op.f(f"ix_row_tombstone_{column}"), "row_tombstone", [column])
    op.create_index("ix_row_tombstone_sha256", "row_tombstone", ["sha256"])


def _row_treatment() -> None:
    op.create_table(
        "row_treatment",
        sa.Column("file_id", sa.String(length=36), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("origin", JSON, nullable=False),
        sa.Column("trouble", JSON, nullable=False),
        sa.Column("treated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["file.id"], name=op.f("fk_row_treatment_file_id_file"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_row_treatment")),
    )


def _resource_file() -> None:
    """What resources have now is known; what they had before shows in cleanings and in the audit trail of maskings."""
    op.create_table(
        "resource_file",
        sa.Column("resource_id", sa.String(length=36), nullable=False),
        sa.Column("file_id", sa.String(length=36), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "file_id", name=op.f("pk_resource_file")),
    )
    for column in ("dataset_id", "file_id"):
        op.create_index(op.f(f"ix_resource_file_{column}"), "resource_file", [column])
    connection = op.get_bind()
    known = set(
        connection.exec_driver_sql(
            "SELECT resource_id, file_id, dataset_id FROM resource_version WHERE file_id IS NOT NULL"
            " UNION SELECT c.resource_id, f.id, r.dataset_id FROM cleaning c JOIN resource r ON r.id = c.resource_id"
            " JOIN file f ON f.sha256 = c.source_sha256 OR f.sha256 = c.sha256"
        )
    )
    masked = sa.text("SELECT details FROM audit WHERE action = 'resource.masked'").columns(details=JSON)
    files = sa.text(
        "SELECT r.id, f.id, r.dataset_id FROM resource r, file f WHERE r.id = :resource AND f.sha256 = :before"
    )
    for (details,) in connection.execute(masked).all():
        asked = {"resource": details.get("resource"), "before": details.get("before")}
        known |= set(map(tuple, connection.execute(files, asked)))
    table = sa.table("resource_file", *map(sa.column, ("resource_id", "file_id", "dataset_id")))
    rows = [dict(zip(("resource_id", "file_id", "dataset_id"), row, strict=True)) for row in known]
    if rows:
        op.bulk_insert(table, rows)


def _create_guards() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, (event, condition, reason) in GUARDS.items():
        condition = condition.replace("DIFFERS", "IS NOT" if sqlite else "IS DISTINCT FROM")
        if sqlite:
            statements = [
                f"CREATE TRIGGER guard_{name} BEFORE {event} WHEN {condition}"
                f" BEGIN SELECT RAISE(ABORT, 'guard: {reason}'); END"
            ]
        else:
            result = "OLD" if event.startswith("DELETE") else "NEW"
            statements = [
                f"CREATE FUNCTION guard_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF {condition} THEN RAISE EXCEPTION 'guard: {reason}' USING ERRCODE = 'check_violation'; END IF;"
                f" RETURN {result}; END $$",
                f"CREATE TRIGGER guard_{name} BEFORE {event} FOR EACH ROW EXECUTE FUNCTION guard_{name}()",
            ]
        for statement in statements:
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, (event, _condition, _reason) in GUARDS.items():
        table = event.rsplit(" ", 1)[-1]
        op.execute(f"DROP TRIGGER guard_{name}" + ("" if sqlite else f" ON {table}"))
        if not sqlite:
            op.execute(f"DROP FUNCTION guard_{name}()")
    for table in ("resource_file", "row_treatment", "row_tombstone", "row_order"):
        op.drop_table(table)
    op.drop_index(op.f("ix_file_base_sha256"), "file")
    for column in ("reading", "base_sha256", "held"):
        op.drop_column("file", column)
