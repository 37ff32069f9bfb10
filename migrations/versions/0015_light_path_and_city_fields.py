"""Corrections of contact or wording go out after one review: the guard of publication compares them with what is public.
The city's own fields of inventory lines. Who leads a priority domain. Looks at links."""

import runpy
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
EARLIER = runpy.run_path(str(Path(__file__).with_name("0011_rounds_of_review.py")))
WORDING = (
    "title", "title_en", "description", "description_en", "contact_name", "contact_phone", "contact_email", "maintainer",
    "maintainer_email",
)  # fmt: skip
# One approval of exactly this content by somebody who is no author and stands in for none; nothing but the wording
# differs from the release that is public; the resources are the very same rows.
LIGHT = """(NEW.policy = 'light' AND EXISTS (
    SELECT 1 FROM dataset d JOIN release p ON p.id = d.published_id
    WHERE d.id = NEW.dataset_id AND p.id <> NEW.id AND SAME_WORDS
      AND NOT EXISTS (SELECT 1 FROM resource_version v WHERE v.dataset_id = NEW.dataset_id
        AND (v.since <= NEW.number AND (v.until IS NULL OR v.until > NEW.number))
         <> (v.since <= p.number AND (v.until IS NULL OR v.until > p.number))))
    AND EXISTS (SELECT 1 FROM decision c
      WHERE c.release_id = NEW.id AND c.outcome = 'approve' AND c.void_at IS NULL AND c.content_hash = NEW.content_hash
        AND COALESCE(NEW.author_id, '') NOT IN (c.reviewer_id, COALESCE(c.on_behalf_of, c.reviewer_id))
        AND NOT EXISTS (SELECT 1 FROM release_author a WHERE a.release_id = NEW.id
                        AND a.user_id IN (c.reviewer_id, COALESCE(c.on_behalf_of, c.reviewer_id)))))"""


def _light() -> str:
    if op.get_bind().dialect.name == "sqlite":
        places = ", ".join(f"'$.{name}'" for name in WORDING)
        return LIGHT.replace("SAME_WORDS", f"json_remove(NEW.meta, {places}) = json_remove(p.meta, {places})")
    names = ", ".join(f"'{name}'" for name in WORDING)
    return LIGHT.replace("SAME_WORDS", f"NEW.meta - ARRAY[{names}] = p.meta - ARRAY[{names}]")


def _publication(*others: str) -> None:
    allowed = (f"({EARLIER['DIRECT']})", EARLIER["TWO_DECISIONS"], EARLIER["STANDING"], *others)
    EARLIER["_publication"](" OR ".join(allowed))


def upgrade() -> None:
    _links()
    op.create_table(
        "domain_lead",
        sa.Column("domain", sa.String(length=30), nullable=False),
        sa.Column("agency_id", sa.String(length=36), nullable=False),
        sa.Column("set_by", sa.String(length=36), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_domain_lead_agency_id_agency")),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_domain_lead")),
    )
    op.add_column("inventory_line", sa.Column("city_fields", JSON, nullable=False, server_default="{}"))
    _publication(_light())


def _links() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "link_check",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("resource_id", sa.String(length=36), nullable=False),
        sa.Column("dataset_id", sa.String(length=36), nullable=False),
        sa.Column("url", sa.String(length=5000), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(length=30), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_check")),
    )
    op.create_index("ix_link_check_resource", "link_check", ["resource_id", "day"])
    op.create_index(op.f("ix_link_check_day"), "link_check", ["day"])


def downgrade() -> None:
    op.drop_table("link_check")
    op.drop_table("domain_lead")
    op.drop_column("inventory_line", "city_fields")
    _publication()
