"""API shapes of a batch: what is sent, and what became of each dataset."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opendata.edge.reading import Sent
from opendata.publishing.api.schemas import DatasetIn, LinkIn

MOST = 1000
"""Datasets of one batch: 1,000 with five links each are about 2 MB."""
MOST_LINKS = 1000


class BatchDataset(DatasetIn):
    """A dataset as `POST /datasets` takes it, with its links."""

    resources: list[LinkIn] = Field(
        default_factory=list, max_length=MOST_LINKS, description="Links, in order"
    )


class BatchIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    datasets: list[Sent[BatchDataset]] = Field(min_length=1, max_length=MOST)
    submit: bool = Field(False, description="Hand each in at once; one that lacks something is refused")


class MadeOut(BaseModel):
    id: str
    name: str
    state: str = Field(description="Of its release")


class BatchOutcome(BaseModel):
    index: int = Field(description="Its place in the list, from 0")
    status: int = Field(description="What `POST /datasets` alone would have answered")
    dataset: MadeOut | None
    problem: dict[str, Any] | None = Field(description="Why it was refused, as problem+json")


class BatchOut(BaseModel):
    dry_run: bool
    made: int
    refused: int
    outcomes: list[BatchOutcome] = Field(description="One for each dataset, in the order of the list")
