"""Why a finding blocks and what to do about it; a secrecy reviewer's record why a blocking one may go out, and the guards
that hold it: nothing goes out with a blocking finding that has none."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UNWAIVED = """EXISTS (SELECT 1 FROM finding f WHERE f.release_id = NEW.id AND f.content_hash = NEW.content_hash AND f.confident
    AND NOT EXISTS (SELECT 1 FROM waiver w WHERE w.release_id = f.release_id AND w.content_hash = f.content_hash
    AND w.resource_id = f.resource_id AND w.place = f.place AND w.rule = f.rule))"""

# name: (event on table, condition under which it is refused, why)
GUARDS: dict[str, tuple[str, str, str]] = {
    "release_screened": (
        "UPDATE ON release",
        f"NEW.state = 'published' AND OLD.state <> 'published' AND {UNWAIVED}",
        "a blocking finding is masked or waived first",
    ),
    "waiver_by_author": (
        "INSERT ON waiver",
        "EXISTS (SELECT 1 FROM release_author a WHERE a.release_id = NEW.release_id AND a.user_id = NEW.reviewer_id)",
        "an author does not waive the own findings",
    ),
    "waiver_immutable": ("UPDATE ON waiver", "1 = 1", "a waiver stands"),
    "waiver_kept": ("DELETE ON waiver", "1 = 1", "a waiver is kept"),
}


def upgrade() -> None:
    op.add_column("finding", sa.Column("reason", sa.String(length=40), nullable=False, server_default=""))
    op.add_column(
        "finding", sa.Column("suggestion", sa.String(length=20), nullable=False, server_default="mask")
    )
    op.add_column("finding", sa.Column("column_number", sa.Integer(), nullable=True))
    op.create_table(
        "waiver",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("release_id", sa.String(length=36), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("resource_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reviewer_id", sa.String(length=36), nullable=False),
        sa.Column("waived_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reviewer_id"], ["account.id"], name=op.f("fk_waiver_reviewer_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
        sa.UniqueConstraint(
            "release_id",
            "content_hash",
            "resource_id",
            "place",
            "rule",
            name=op.f("uq_waiver_release_id_content_hash_resource_id_place_rule"),
        ),
    )
    for name, (event, condition, reason) in GUARDS.items():
        for statement in _guard(name, event, condition, reason):
            op.get_bind().exec_driver_sql(statement)


def _guard(name: str, event: str, condition: str, reason: str) -> list[str]:
    if op.get_bind().dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER guard_{name} BEFORE {event} WHEN {condition}"
            f" BEGIN SELECT RAISE(ABORT, 'guard: {reason}'); END"
        ]
    result = "OLD" if event.startswith("DELETE") else "NEW"
    return [
        f"CREATE FUNCTION guard_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {condition} THEN RAISE EXCEPTION 'guard: {reason}' USING ERRCODE = 'check_violation'; END IF;"
        f" RETURN {result}; END $$",
        f"CREATE TRIGGER guard_{name} BEFORE {event} FOR EACH ROW EXECUTE FUNCTION guard_{name}()",
    ]


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, (event, _condition, _reason) in GUARDS.items():
        table = event.rsplit(" ", 1)[-1]
        op.execute(f"DROP TRIGGER guard_{name}" + ("" if sqlite else f" ON {table}"))
        if not sqlite:
            op.execute(f"DROP FUNCTION guard_{name}()")
    op.drop_table("waiver")
    for column in ("column_number", "suggestion", "reason"):
        op.drop_column("finding", column)
