"""Rectification orders, periodic review, alerts, what is used, scores and their rules, yearly reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def _guards() -> None:
    """A version of the rules never changes, nor a final score, nor the numbers of a yearly report, whatever writes."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    differ = "IS NOT" if sqlite else "IS DISTINCT FROM"
    for table, conditions in KEPT.items():
        for event, condition in zip(("UPDATE", "DELETE"), conditions, strict=True):
            held = condition.replace("DIFFER", differ)
            name, why = f"guard_{table}_{event.lower()}", f"guard: {table} only grows"
            if sqlite:
                then = f"WHEN {held} BEGIN SELECT RAISE(ABORT, '{why}'); END"
                op.get_bind().exec_driver_sql(f"CREATE TRIGGER {name} BEFORE {event} ON {table} {then}")
                continue
            result = "OLD" if event == "DELETE" else "NEW"
            for statement in (
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {held} THEN RAISE EXCEPTION"
                f" '{why}' USING ERRCODE = 'check_violation'; END IF; RETURN {result}; END $$",
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            ):
                op.get_bind().exec_driver_sql(statement)


KEPT = {
    "score_rules": ("1 = 1", "1 = 1"),
    "score": ("OLD.final", "OLD.final"),
    "yearly_report": ("OLD.facts DIFFER NEW.facts", "1 = 1"),
}
"""Tables, and when a change or a deletion of their rows is refused."""


def upgrade() -> None:
    _counted_batch()
    _score_rules()
    _alert()
    _rectification()
    _score()
    _yearly_report()
    _daily_use()
    _periodic_review()
    _rectification_step()
    _guards()


def _counted_batch() -> None:
    op.create_table(
        "counted_batch",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("counted_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counted_batch")),
    )
    op.create_index(op.f("ix_counted_batch_counted_at"), "counted_batch", ["counted_at"])


def _score_rules() -> None:
    op.create_table(
        "score_rules",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_score_rules")),
    )


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("subject_id", sa.String(length=36), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("settled_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_alert_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("kind", "subject_id", "due_on", name=op.f("uq_alert_kind_subject_id_due_on")),
    )
    op.create_index(op.f("ix_alert_agency_id"), "alert", ["agency_id"])
    op.create_index(op.f("ix_alert_settled_at"), "alert", ["settled_at"])


def _rectification() -> None:
    op.create_table(
        "rectification",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=36), nullable=False),
        sa.Column("cause", sa.String(length=30), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("demand", sa.String(length=2000), nullable=False),
        sa.Column("params", JSON, nullable=False),
        sa.Column("occasion", sa.String(length=120), nullable=True),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("issued_by", sa.String(length=36), nullable=True),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("settled_at", TIME, nullable=True),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_rectification_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rectification")),
        sa.UniqueConstraint("number", name=op.f("uq_rectification_number")),
        sa.UniqueConstraint("occasion", name=op.f("uq_rectification_occasion")),
    )
    op.create_index(op.f("ix_rectification_agency_id"), "rectification", ["agency_id"])
    op.create_index("ix_rectification_state", "rectification", ["state", "deadline"])


def _score() -> None:
    op.create_table(
        "score",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agency_id", sa.String(length=36), nullable=False),
        sa.Column("quarter", sa.String(length=6), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("hundredths", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("taken_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_score_agency_id_agency")),
        sa.ForeignKeyConstraint(
            ["rules_version"], ["score_rules.version"], name=op.f("fk_score_rules_version_score_rules")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
        sa.UniqueConstraint("quarter", "agency_id", name=op.f("uq_score_quarter_agency_id")),
    )
    op.create_index(op.f("ix_score_agency_id"), "score", ["agency_id"])


def _yearly_report() -> None:
    op.create_table(
        "yearly_report",
        sa.Column("agency_id", sa.String(length=36), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("frozen_at", TIME, nullable=False),
        sa.Column("summary", sa.String(length=20000), nullable=False),
        sa.Column("problems", sa.String(length=20000), nullable=False),
        sa.Column("plans", sa.String(length=20000), nullable=False),
        sa.Column("published_at", TIME, nullable=True),
        sa.Column("published_by", sa.String(length=200), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_yearly_report_agency_id_agency")),
        sa.PrimaryKeyConstraint("agency_id", "year", name=op.f("pk_yearly_report")),
    )


def _daily_use() -> None:
    op.create_table(
        "daily_use",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("downloads", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["dataset.id"], name=op.f("fk_daily_use_dataset_id_dataset")),
        sa.PrimaryKeyConstraint("day", "dataset_id", name=op.f("pk_daily_use")),
    )
    op.create_index(op.f("ix_daily_use_dataset_id"), "daily_use", ["dataset_id"])


def _periodic_review() -> None:
    op.create_table(
        "periodic_review",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=False),
        sa.Column("reviewed_by", sa.String(length=36), nullable=False),
        sa.Column("reviewer_name", sa.String(length=200), nullable=False),
        sa.Column("reviewed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_periodic_review_dataset_id_dataset")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_periodic_review")),
    )
    op.create_index(op.f("ix_periodic_review_dataset_id"), "periodic_review", ["dataset_id"])


def _rectification_step() -> None:
    op.create_table(
        "rectification_step",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("actor_id", sa.String(length=36), nullable=True),
        sa.Column("actor_name", sa.String(length=200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["rectification.id"], name=op.f("fk_rectification_step_order_id_rectification")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rectification_step")),
    )
    op.create_index(op.f("ix_rectification_step_order_id"), "rectification_step", ["order_id"])


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        for table in KEPT:
            for event in ("update", "delete"):
                op.execute(f"DROP TRIGGER guard_{table}_{event} ON {table}")
                op.execute(f"DROP FUNCTION guard_{table}_{event}()")
    for table in (
        "rectification_step",
        "periodic_review",
        "daily_use",
        "yearly_report",
        "score",
        "rectification",
        "alert",
        "score_rules",
        "counted_batch",
    ):
        op.drop_table(table)
