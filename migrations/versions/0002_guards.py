"""The database's own guards: publication needs two reviews, what was public is immutable, the audit trail only grows.

Code can have bugs, and operators have SQL shells; these triggers hold whatever writes. A test publishes, edits and
deletes around the services, on both databases. SQLite drops triggers when a batch alteration rebuilds their table, so a
later migration that alters one of these tables calls `drop` and `create` of this revision's texts again.
"""

from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TWO_REVIEWS = """
    (NEW.policy = 'direct'
       AND (SELECT policy FROM publication_policy ORDER BY id DESC LIMIT 1) = 'direct')
    OR EXISTS (
      SELECT 1 FROM decision c JOIN decision s ON s.release_id = c.release_id
      WHERE c.release_id = NEW.id AND c.kind = 'content' AND s.kind = 'secrecy'
        AND c.outcome = 'approve' AND s.outcome = 'approve' AND c.void_at IS NULL AND s.void_at IS NULL
        AND c.content_hash = NEW.content_hash AND s.content_hash = NEW.content_hash
        AND c.reviewer_id <> s.reviewer_id
        AND COALESCE(NEW.author_id, '') NOT IN (c.reviewer_id, s.reviewer_id)
        AND NOT EXISTS (SELECT 1 FROM release_author a
                        WHERE a.release_id = NEW.id AND a.user_id IN (c.reviewer_id, s.reviewer_id)))
"""
ONCE_PUBLIC = "OLD.state IN ('published', 'superseded', 'withdrawn')"
SHOWN_AFTER = """EXISTS (SELECT 1 FROM release r WHERE r.dataset_id = NEW.dataset_id AND r.number >= NEW.since
    AND (NEW.until IS NULL OR r.number < NEW.until) AND r.state IN ('published', 'superseded', 'withdrawn'))"""
HIDDEN_AFTER = """EXISTS (SELECT 1 FROM release r WHERE r.dataset_id = OLD.dataset_id AND r.number >= OLD.since
    AND (OLD.until IS NULL OR r.number < OLD.until) AND r.number >= NEW.until
    AND r.state IN ('published', 'superseded', 'withdrawn'))"""
SHOWN_NEWLY = """EXISTS (SELECT 1 FROM release r WHERE r.dataset_id = OLD.dataset_id AND r.number >= OLD.until
    AND (NEW.until IS NULL OR r.number < NEW.until) AND r.state IN ('published', 'superseded', 'withdrawn'))"""
VERSION_ONCE_PUBLIC = """EXISTS (SELECT 1 FROM release r WHERE r.dataset_id = OLD.dataset_id AND r.number >= OLD.since
    AND (OLD.until IS NULL OR r.number < OLD.until) AND r.state IN ('published', 'superseded', 'withdrawn'))"""

# name: (event on table, condition under which it is refused, why)
GUARDS: dict[str, tuple[str, str, str]] = {
    "release_publish": (
        "UPDATE ON release",
        f"NEW.state = 'published' AND OLD.state <> 'published' AND NOT ({TWO_REVIEWS})",
        "publication needs two approvals by two people for this content",
    ),
    "release_born_public": (
        "INSERT ON release",
        "NEW.state IN ('published', 'superseded', 'withdrawn')",
        "a release begins as a draft",
    ),
    "release_immutable": (
        "UPDATE ON release",
        f"{ONCE_PUBLIC} AND (NEW.content_hash DIFFERS OLD.content_hash OR NEW.number DIFFERS OLD.number"
        " OR NEW.dataset_id DIFFERS OLD.dataset_id OR NEW.published_at DIFFERS OLD.published_at"
        " OR NEW.policy DIFFERS OLD.policy OR NEW.author_id DIFFERS OLD.author_id OR NEW.meta DIFFERS OLD.meta)",
        "a release that was public does not change",
    ),
    "release_no_return": (
        "UPDATE ON release",
        f"{ONCE_PUBLIC} AND NEW.state NOT IN ('published', 'superseded', 'withdrawn')",
        "a release that was public cannot become a draft",
    ),
    "release_kept": ("DELETE ON release", ONCE_PUBLIC, "a release that was public is kept"),
    "resource_version_immutable": (
        "UPDATE ON resource_version",
        f"((NEW.since DIFFERS OLD.since OR NEW.position DIFFERS OLD.position OR NEW.resource_id DIFFERS OLD.resource_id"
        f" OR NEW.dataset_id DIFFERS OLD.dataset_id OR NEW.file_id DIFFERS OLD.file_id OR NEW.meta DIFFERS OLD.meta)"
        f" AND ({VERSION_ONCE_PUBLIC} OR {SHOWN_AFTER})) OR {HIDDEN_AFTER} OR {SHOWN_NEWLY}",
        "what was public does not change",
    ),
    "resource_version_late": (
        "INSERT ON resource_version",
        SHOWN_AFTER,
        "nothing is added to what was public",
    ),
    "resource_version_kept": ("DELETE ON resource_version", VERSION_ONCE_PUBLIC, "what was public is kept"),
    "dataset_published": (
        "UPDATE ON dataset",
        "NEW.published_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM release r WHERE r.id = NEW.published_id"
        " AND r.dataset_id = NEW.id AND r.state = 'published')",
        "only a published release can be public",
    ),
    "dataset_born_public": (
        "INSERT ON dataset",
        "NEW.published_id IS NOT NULL",
        "a dataset begins unpublished",
    ),
    "author_kept": (
        "DELETE ON release_author",
        "EXISTS (SELECT 1 FROM release r WHERE r.id = OLD.release_id)",
        "who edited a release stays its author",
    ),
    "author_immutable": ("UPDATE ON release_author", "1 = 1", "who edited a release stays its author"),
    "decision_by_author": (
        "INSERT ON decision",
        "EXISTS (SELECT 1 FROM release_author a WHERE a.release_id = NEW.release_id AND a.user_id = NEW.reviewer_id)",
        "an author does not review the own release",
    ),
    "decision_immutable": (
        "UPDATE ON decision",
        "NEW.outcome DIFFERS OLD.outcome OR NEW.content_hash DIFFERS OLD.content_hash"
        " OR NEW.reviewer_id DIFFERS OLD.reviewer_id OR NEW.kind DIFFERS OLD.kind"
        " OR NEW.release_id DIFFERS OLD.release_id OR NEW.reason DIFFERS OLD.reason"
        " OR (OLD.void_at IS NOT NULL AND NEW.void_at IS NULL)",
        "a decision stands",
    ),
    "decision_kept": ("DELETE ON decision", "1 = 1", "a decision is kept"),
    "audit_immutable": ("UPDATE ON audit", "1 = 1", "the audit trail only grows"),
    "audit_kept": ("DELETE ON audit", "1 = 1", "the audit trail only grows"),
    "policy_immutable": ("UPDATE ON publication_policy", "1 = 1", "the policy record only grows"),
    "policy_kept": ("DELETE ON publication_policy", "1 = 1", "the policy record only grows"),
}


def create() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    differs = "IS NOT" if sqlite else "IS DISTINCT FROM"  # NULLs compare, unlike with <>
    for name, (event, condition, reason) in GUARDS.items():
        condition = condition.replace("DIFFERS", differs)
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


def drop() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, (event, _condition, _reason) in GUARDS.items():
        table = event.rsplit(" ", 1)[-1]
        op.execute(f"DROP TRIGGER guard_{name}" + ("" if sqlite else f" ON {table}"))
        if not sqlite:
            op.execute(f"DROP FUNCTION guard_{name}()")


def upgrade() -> None:
    op.get_bind().execute(
        text("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, :genesis)"), {"genesis": "0" * 64}
    )
    create()


def downgrade() -> None:
    drop()
    op.execute("DELETE FROM audit_head")
