"""Why values that the screening finds may stand in rows that are public as soon as they are written."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
_FIXED = ("id", "resource_id", "place", "rule", "reason", "reviewer_id", "waived_at")
GUARDS: dict[str, tuple[str, str, str]] = {
    "row_waiver_kept": ("DELETE ON row_waiver", "1 = 1", "a waiver is kept"),
    "row_waiver_stands": (
        "UPDATE ON row_waiver",
        " OR ".join(f"NEW.{column} <> OLD.{column}" for column in _FIXED) + " OR OLD.ended_at IS NOT NULL",
        "a waiver stands until it is ended, once",
    ),
}


def upgrade() -> None:
    op.create_table(
        "row_waiver",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("resource_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reviewer_id", sa.String(length=36), nullable=False),
        sa.Column("waived_at", TIME, nullable=False),
        sa.Column("ended_by", sa.String(length=36), nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["account.id"], name=op.f("fk_row_waiver_reviewer_id_account")
        ),
        sa.ForeignKeyConstraint(["ended_by"], ["account.id"], name=op.f("fk_row_waiver_ended_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_row_waiver")),
    )
    op.create_index(op.f("ix_row_waiver_resource_id"), "row_waiver", ["resource_id"])
    for statement in _guards(sqlite=op.get_bind().dialect.name == "sqlite"):
        op.get_bind().exec_driver_sql(statement)


def _guards(*, sqlite: bool) -> list[str]:
    made = []
    for name, (event, condition, reason) in GUARDS.items():
        if sqlite:
            made.append(
                f"CREATE TRIGGER guard_{name} BEFORE {event} WHEN {condition}"
                f" BEGIN SELECT RAISE(ABORT, 'guard: {reason}'); END"
            )
            continue
        made.append(
            f"CREATE FUNCTION guard_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {condition} THEN RAISE EXCEPTION 'guard: {reason}' USING ERRCODE = 'check_violation'; END IF;"
            f" RETURN {'OLD' if event.startswith('DELETE') else 'NEW'}; END $$"
        )
        made.append(
            f"CREATE TRIGGER guard_{name} BEFORE {event} FOR EACH ROW EXECUTE FUNCTION guard_{name}()"
        )
    return made


def downgrade() -> None:
    op.drop_table("row_waiver")
    if op.get_bind().dialect.name != "sqlite":
        for name in GUARDS:
            op.execute(f"DROP FUNCTION guard_{name}()")
