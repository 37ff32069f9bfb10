"""The city's own table schemas, in versions that two people put out; what jobs make of large files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
OUT = "OLD.state IN ('published', 'withdrawn')"
SAME = " OR ".join(
    f"OLD.{name} DIFFER NEW.{name}" for name in ("name", "version", "descriptor", "hash", "author_id")
)
GUARDS = {
    "update": f"{OUT} AND ({SAME} OR NEW.state NOT IN ('published', 'withdrawn')"
    " OR (OLD.state = 'withdrawn' AND NEW.state = 'published'))",
    "delete": OUT,
}
"""When a change or a deletion of a row is refused: what went out stays as it was, readable."""


def _guards() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    differ = "IS NOT" if sqlite else "IS DISTINCT FROM"
    for event, condition in GUARDS.items():
        held = condition.replace("DIFFER", differ)
        name, why = f"guard_schema_version_{event}", "guard: a published schema does not change"
        if sqlite:
            then = f"WHEN {held} BEGIN SELECT RAISE(ABORT, '{why}'); END"
            op.get_bind().exec_driver_sql(f"CREATE TRIGGER {name} BEFORE {event} ON schema_version {then}")
            continue
        result = "OLD" if event == "delete" else "NEW"
        for statement in (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {held} THEN RAISE EXCEPTION"
            f" '{why}' USING ERRCODE = 'check_violation'; END IF; RETURN {result}; END $$",
            f"CREATE TRIGGER {name} BEFORE {event} ON schema_version FOR EACH ROW EXECUTE FUNCTION {name}()",
        ):
            op.get_bind().exec_driver_sql(statement)


def upgrade() -> None:
    op.create_table(
        "schema_version",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=14), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("descriptor", JSON, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("author_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("submitted_at", TIME, nullable=True),
        sa.Column("decided_by", sa.String(length=36), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> author_id", name=op.f("ck_schema_version_two_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schema_version")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_schema_version_name_version")),
    )
    op.create_index("ix_schema_version_state", "schema_version", ["state"])
    op.create_index("ix_schema_version_hash", "schema_version", ["hash"])
    _guards()
    _prepared()


def _prepared() -> None:
    op.create_table(
        "prepared",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("args", JSON, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("answer", JSON, nullable=True),
        sa.Column("object_sha256", sa.String(length=64), nullable=True),
        sa.Column("error", JSON, nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_prepared")),
    )
    op.create_index(op.f("ix_prepared_object_sha256"), "prepared", ["object_sha256"])
    op.create_index(op.f("ix_prepared_asked_at"), "prepared", ["asked_at"])


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        for event in GUARDS:
            op.execute(f"DROP TRIGGER guard_schema_version_{event} ON schema_version")
            op.execute(f"DROP FUNCTION guard_schema_version_{event}()")
    op.drop_table("prepared")
    op.drop_table("schema_version")
