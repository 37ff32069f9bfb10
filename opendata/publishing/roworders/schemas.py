"""API shapes of row orders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opendata.accounts.models import User
from opendata.catalog.codes import codes
from opendata.catalog.models import Dataset
from opendata.catalog.roworders import queries
from opendata.catalog.roworders.models import Ground, OrderKind, OrderState, RowOrder
from opendata.edge import messages
from opendata.publishing.roworders import preview
from opendata.publishing.roworders.preview import Tried
from opendata.publishing.roworders.service import Cause, Wanted
from opendata.work.unit import Work


class RowOrderIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dataset: str = Field("", max_length=100, description="Name or id; the order binds it in all its versions")
    resource: str = Field("", max_length=100, description="Id of a resource, in place of its dataset")
    kind: OrderKind = Field(description="`erase`: rows that keys name; `expire`: rows whose day is past")
    columns: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="Of an erasure: those that the keys are values of; without, the primary key of the schema",
    )
    keys: list[str | list[str] | dict[str, str]] = Field(
        default_factory=list,
        description="Values: a text for one column; for several a list in their order, or an object",
    )
    column: str = Field("", max_length=500, description="Of an expiry: the column of the last day")
    ground: Ground
    reason: str = Field(min_length=1, max_length=2000, description="For the people of the body alone")
    document: str = Field(
        min_length=1, max_length=200, description="Number of the decision or letter that asks for it"
    )

    @property
    def wanted(self) -> Wanted:
        columns = self.columns if self.kind is OrderKind.ERASE else [c for c in (self.column,) if c]
        return Wanted(self.kind, columns, self.keys)

    @property
    def cause(self) -> Cause:
        return Cause(self.ground, self.reason, self.document)


class LiftIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=2000)


class TouchedOut(BaseModel):
    """A file that an order is about."""

    resources: list[str]
    releases: list[int] = Field(
        description="Numbers of the releases that show it; none: a draft that is gone"
    )
    public: bool = Field(description="The published release shows it")
    file: str = Field(description="SHA-256 of its bytes now")
    rows: int
    problem: dict[str, Any] | None = Field(description="Why nobody can look into it")


class RowOrderPreviewOut(BaseModel):
    rows: int = Field(description="In all versions together, and in what CKAN's clients write")
    public_rows: int = Field(description="In the published release")
    written_rows: int = Field(
        description="Of them, in what CKAN's clients write: they would go for good at once, and no lifting brings them back"
    )
    files: list[TouchedOut]


class TombstoneOut(BaseModel):
    sha256: str
    replaced_by: str
    hidden_at: datetime
    purged_at: datetime | None
    lifted_at: datetime | None


class RowOrderOut(BaseModel):
    id: str
    number: str
    dataset: str
    kind: OrderKind
    ground: Ground
    reason: str
    document: str
    columns: list[str]
    keys: int = Field(description="How many keys it names")
    state: OrderState
    sentence: str
    placed_by: str
    placed_at: datetime
    hidden_at: datetime | None
    confirmed_by: str | None
    confirmed_at: datetime | None
    purged_at: datetime | None
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str
    files: list[TouchedOut] = Field(description="What was done")
    written_rows: int = Field(
        description="Rows that CKAN's clients had written: gone for good; lifting brings none of them back"
    )
    tombstones: list[TombstoneOut]


_MADE = {"dataset", "keys", "sentence", "files", "written_rows", "tombstones"}
"""Fields that are no column of the order."""


def preview_out(tried: Tried, language: str) -> dict[str, Any]:
    files = [_touched(match.shown, match.rows, match.outcome.trouble, language) for match in tried.found]
    return {
        "rows": tried.rows,
        "public_rows": tried.public_rows,
        "written_rows": tried.written,
        "files": files,
    }


def order_out(work: Work, order: RowOrder, language: str) -> dict[str, Any]:
    dataset = work.session.get_one(Dataset, order.dataset_id)
    mine = [t for t in queries.tombstones(work.session, order.dataset_id) if t.order_id == order.id]
    told = RowOrderOut.model_fields.keys() - _MADE
    return {field: getattr(order, field) for field in told} | {
        "dataset": dataset.name,
        "keys": len(order.digests),
        "sentence": codes().label("row_order_sentence", order.state, language),
        **{field: _name(work, getattr(order, field)) for field in ("placed_by", "confirmed_by", "lifted_by")},
        "files": [
            _touched(shown, rows, trouble, language)
            for shown, rows, trouble in preview.done(work, dataset, order.id)
        ],
        "written_rows": preview.erased(work, order),
        "tombstones": [{field: getattr(t, field) for field in TombstoneOut.model_fields} for t in mine],
    }


def _name(work: Work, user_id: str | None) -> str | None:
    """Their id, should a restored database not know them."""
    user = work.session.get(User, user_id) if user_id else None
    return user.name if user else user_id


def _touched(shown: preview.Shown, rows: int, trouble: Any, language: str) -> dict[str, Any]:
    return {
        "resources": list(shown.resources),
        "releases": list(shown.releases),
        "public": shown.public,
        "file": shown.source.sha256,
        "rows": rows,
        "problem": messages.problem_text(trouble or None, language),
    }
