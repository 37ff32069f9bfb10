"""Rounds of review with numbers and deadlines, reasons by field, delegations, notices. Whoever decides in another's place is
bound by what binds either: the guard of the two reviews counts both persons."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
ID = sa.String(length=36)

DIRECT = """NEW.policy = 'direct'
    AND (SELECT policy FROM publication_policy ORDER BY id DESC LIMIT 1) = 'direct'"""
TWO_DECISIONS = """EXISTS (
    SELECT 1 FROM decision c JOIN decision s ON s.release_id = c.release_id
    WHERE c.release_id = NEW.id AND c.kind = 'content' AND s.kind = 'secrecy'
      AND c.outcome = 'approve' AND s.outcome = 'approve' AND c.void_at IS NULL AND s.void_at IS NULL
      AND c.content_hash = NEW.content_hash AND s.content_hash = NEW.content_hash
      AND c.reviewer_id NOT IN (s.reviewer_id, COALESCE(s.on_behalf_of, s.reviewer_id))
      AND COALESCE(c.on_behalf_of, c.reviewer_id) NOT IN (s.reviewer_id, COALESCE(s.on_behalf_of, s.reviewer_id))
      AND COALESCE(NEW.author_id, '') NOT IN (c.reviewer_id, s.reviewer_id)
      AND NOT EXISTS (SELECT 1 FROM release_author a WHERE a.release_id = NEW.id
                      AND a.user_id IN (c.reviewer_id, s.reviewer_id,
                        COALESCE(c.on_behalf_of, c.reviewer_id), COALESCE(s.on_behalf_of, s.reviewer_id))))"""
STANDING = """(NEW.policy = 'standing' AND EXISTS (
    SELECT 1 FROM standing_passage p JOIN standing_authority t ON t.id = p.authority_id
      JOIN standing_approval c ON c.authority_id = t.id JOIN standing_approval s ON s.authority_id = t.id
    WHERE p.release_id = NEW.id AND p.content_hash = NEW.content_hash AND t.dataset_id = NEW.dataset_id
      AND t.state = 'active' AND c.kind = 'content' AND s.kind = 'secrecy' AND c.void_at IS NULL AND s.void_at IS NULL
      AND c.terms_hash = t.terms_hash AND s.terms_hash = t.terms_hash
      AND c.reviewer_id NOT IN (s.reviewer_id, COALESCE(s.on_behalf_of, s.reviewer_id))
      AND COALESCE(c.on_behalf_of, c.reviewer_id) NOT IN (s.reviewer_id, COALESCE(s.on_behalf_of, s.reviewer_id))
      AND NOT EXISTS (SELECT 1 FROM release_author a WHERE a.release_id = NEW.id AND a.user_id <> t.source_id))
    AND NOT EXISTS (SELECT 1 FROM finding f WHERE f.release_id = NEW.id AND f.content_hash = NEW.content_hash))"""
TWO_PERSONS = """EXISTS (
    SELECT 1 FROM decision c JOIN decision s ON s.release_id = c.release_id
    WHERE c.release_id = NEW.id AND c.kind = 'content' AND s.kind = 'secrecy'
      AND c.outcome = 'approve' AND s.outcome = 'approve' AND c.void_at IS NULL AND s.void_at IS NULL
      AND c.content_hash = NEW.content_hash AND s.content_hash = NEW.content_hash
      AND c.reviewer_id <> s.reviewer_id
      AND COALESCE(NEW.author_id, '') NOT IN (c.reviewer_id, s.reviewer_id)
      AND NOT EXISTS (SELECT 1 FROM release_author a
                      WHERE a.release_id = NEW.id AND a.user_id IN (c.reviewer_id, s.reviewer_id)))"""
REASON = "publication needs two approvals by two people for this content"

# name: (event on table, condition under which it is refused, why)
GUARDS: dict[str, tuple[str, str, str]] = {
    "decision_place_immutable": (
        "UPDATE ON decision",
        "NEW.on_behalf_of DIFFERS OLD.on_behalf_of OR NEW.field_reasons DIFFERS OLD.field_reasons",
        "a decision stands",
    ),
    "decision_for_author": (
        "INSERT ON decision",
        "EXISTS (SELECT 1 FROM release_author a WHERE a.release_id = NEW.release_id AND a.user_id = NEW.on_behalf_of)",
        "nobody reviews in the place of an author",
    ),
    "round_immutable": (
        "UPDATE ON review_round",
        " OR ".join(
            f"NEW.{name} DIFFERS OLD.{name}"
            for name in ("number", "agency_id", "year", "serial", "release_id", "content_hash", "due_on")
        ),
        "a round of review keeps its number, its content and its deadline",
    ),
    "standing_terms": (
        "UPDATE ON standing_authority",
        " OR ".join(
            f"NEW.{name} DIFFERS OLD.{name}"
            for name in (
                "dataset_id",
                "agency_id",
                "line_id",
                "source_id",
                "schema_hash",
                "baseline",
                "rows_drift",
                "filled_drift",
                "expires_on",
                "terms_hash",
                "proposed_by",
            )
        )
        + " OR (OLD.state = 'ended' AND NEW.state <> 'ended')",
        "the terms of a standing authority do not change",
    ),
    "standing_kept": ("DELETE ON standing_authority", "1 = 1", "a standing authority is kept"),
    "standing_approval_by_author": (
        "INSERT ON standing_approval",
        "EXISTS (SELECT 1 FROM standing_authority t WHERE t.id = NEW.authority_id AND (t.proposed_by IN"
        " (NEW.reviewer_id, COALESCE(NEW.on_behalf_of, NEW.reviewer_id)) OR t.source_id IN"
        " (NEW.reviewer_id, COALESCE(NEW.on_behalf_of, NEW.reviewer_id))))",
        "who proposes an authority or delivers by it does not approve it",
    ),
    "standing_approval_immutable": (
        "UPDATE ON standing_approval",
        "NEW.authority_id DIFFERS OLD.authority_id OR NEW.kind DIFFERS OLD.kind OR NEW.terms_hash DIFFERS OLD.terms_hash"
        " OR NEW.reviewer_id DIFFERS OLD.reviewer_id OR NEW.on_behalf_of DIFFERS OLD.on_behalf_of"
        " OR (OLD.void_at IS NOT NULL AND NEW.void_at IS NULL)",
        "an approval stands",
    ),
    "standing_approval_kept": ("DELETE ON standing_approval", "1 = 1", "an approval is kept"),
    "standing_passage_immutable": ("UPDATE ON standing_passage", "1 = 1", "a passage stands"),
    "standing_passage_kept": ("DELETE ON standing_passage", "1 = 1", "a passage is kept"),
    "round_kept": ("DELETE ON review_round", "1 = 1", "a round of review is kept"),
}


def upgrade() -> None:
    _delegation()
    _rounds()
    _notices()
    _standing()
    op.add_column("decision", sa.Column("field_reasons", JSON, nullable=False, server_default="[]"))
    op.add_column("decision", sa.Column("on_behalf_of", ID, nullable=True))
    _publication(f"({DIRECT}) OR {TWO_DECISIONS} OR {STANDING}")
    for name, guard in GUARDS.items():
        for statement in _guard(name, *guard):
            op.get_bind().exec_driver_sql(statement)


def _delegation() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", ID, nullable=False),
        sa.Column("agency_id", ID, nullable=False),
        sa.Column("absent_id", ID, nullable=False),
        sa.Column("delegate_id", ID, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("made_by", ID, nullable=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_delegation_agency_id_agency")),
        sa.ForeignKeyConstraint(["absent_id"], ["account.id"], name=op.f("fk_delegation_absent_id_account")),
        sa.ForeignKeyConstraint(
            ["delegate_id"], ["account.id"], name=op.f("fk_delegation_delegate_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index(op.f("ix_delegation_agency_id"), "delegation", ["agency_id"])
    op.create_index(op.f("ix_delegation_delegate_id"), "delegation", ["delegate_id"])


def _rounds() -> None:
    op.create_table(
        "review_round",
        sa.Column("id", ID, nullable=False),
        sa.Column("number", sa.String(length=140), nullable=False),
        sa.Column("agency_id", ID, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("release_id", ID, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("official", sa.Boolean(), nullable=False),
        sa.Column("reminded", sa.String(length=10), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_review_round_agency_id_agency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_round")),
        sa.UniqueConstraint("number", name=op.f("uq_review_round_number")),
        sa.UniqueConstraint(
            "agency_id", "year", "serial", name=op.f("uq_review_round_agency_id_year_serial")
        ),
    )
    op.create_index("ix_review_round_release", "review_round", ["release_id", "opened_at"])
    op.create_index("ix_review_round_due", "review_round", ["result", "due_on"])


def _standing() -> None:
    op.create_table(
        "standing_authority",
        sa.Column("id", ID, nullable=False),
        sa.Column("dataset_id", ID, nullable=False),
        sa.Column("agency_id", ID, nullable=False),
        sa.Column("line_id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("schema_hash", sa.String(length=64), nullable=False),
        sa.Column("baseline", JSON, nullable=False),
        sa.Column("rows_drift", sa.Integer(), nullable=False),
        sa.Column("filled_drift", sa.Integer(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("terms_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("stopped_by", JSON, nullable=False),
        sa.Column("proposed_by", ID, nullable=True),
        sa.Column("proposed_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_standing_authority_dataset_id_dataset")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["account.id"], name=op.f("fk_standing_authority_source_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_authority")),
    )
    op.create_index(op.f("ix_standing_authority_dataset_id"), "standing_authority", ["dataset_id"])
    op.create_table(
        "standing_approval",
        sa.Column("id", ID, nullable=False),
        sa.Column("authority_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("terms_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reviewer_id", ID, nullable=False),
        sa.Column("on_behalf_of", ID, nullable=True),
        sa.Column("approved_at", TIME, nullable=False),
        sa.Column("void_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["authority_id"],
            ["standing_authority.id"],
            name=op.f("fk_standing_approval_authority_id_standing_authority"),
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["account.id"], name=op.f("fk_standing_approval_reviewer_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_approval")),
    )
    op.create_index(op.f("ix_standing_approval_authority_id"), "standing_approval", ["authority_id"])
    op.create_table(
        "standing_passage",
        sa.Column("release_id", ID, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("authority_id", ID, nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("passed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["authority_id"],
            ["standing_authority.id"],
            name=op.f("fk_standing_passage_authority_id_standing_authority"),
        ),
        sa.PrimaryKeyConstraint("release_id", "content_hash", name=op.f("pk_standing_passage")),
    )
    op.create_index(op.f("ix_standing_passage_authority_id"), "standing_passage", ["authority_id"])


def _notices() -> None:
    op.create_table(
        "notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("occasion", sa.String(length=30), nullable=False),
        sa.Column("params", JSON, nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("read_at", TIME, nullable=True),
        sa.Column("mailed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["account.id"], name=op.f("fk_notice_user_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_notice_user_id_key")),
    )
    op.create_index(op.f("ix_notice_user_id"), "notice", ["user_id"])
    op.create_index(op.f("ix_notice_mailed_at"), "notice", ["mailed_at"])


def _publication(allowed: str) -> None:
    """The guard of publication, with what lets a release out."""
    condition = f"NEW.state = 'published' AND OLD.state <> 'published' AND NOT ({allowed})"
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER guard_release_publish")
        statement = _guard("release_publish", "UPDATE ON release", condition, REASON)[0]
    else:
        statement = (
            "CREATE OR REPLACE FUNCTION guard_release_publish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {condition} THEN RAISE EXCEPTION 'guard: {REASON}' USING ERRCODE = 'check_violation'; END IF;"
            " RETURN NEW; END $$"
        )
    op.get_bind().exec_driver_sql(statement)


def _guard(name: str, event: str, condition: str, reason: str) -> list[str]:
    sqlite = op.get_bind().dialect.name == "sqlite"
    condition = condition.replace("DIFFERS", "IS NOT" if sqlite else "IS DISTINCT FROM")
    if sqlite:
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
    _publication(f"({DIRECT}) OR {TWO_PERSONS}")
    for table in (
        "standing_passage",
        "standing_approval",
        "standing_authority",
        "notice",
        "review_round",
        "delegation",
    ):
        op.drop_table(table)
    for column in ("on_behalf_of", "field_reasons"):
        op.drop_column("decision", column)
