"""API shapes of rectification orders."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from opendata.supervision.rectification.models import Act, Cause, OrderState


class OrderIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agency: str = Field(max_length=100, description="Name or id of the body")
    cause: Cause = Cause.OTHER
    subject: str = Field(max_length=300, description="What it is about, in a few words")
    demand: str = Field(max_length=2000, description="What has to be done")
    deadline: date = Field(description="整改期限: after today")


class OrderPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    deadline: date
    reason: str = Field(max_length=2000, description="Why it is extended or brought forward")


class EvidenceIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=4000, description="What was done")
    url: str = Field("", max_length=2000, description="Where it can be seen: http or https")


class Outcome(StrEnum):
    CLOSE = "close"
    RETURN = "return"
    WITHDRAW = "withdraw"


class DecisionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    outcome: Outcome = Field(
        description="close: by somebody who gave none of the evidence; return: not enough; withdraw: was wrong"
    )
    reason: str = Field("", max_length=2000, description="Needed to return and to withdraw")


class StepOut(BaseModel):
    act: Act
    text: str
    url: str
    actor: str
    at: datetime


class OrderOut(BaseModel):
    id: str
    number: str
    agency: str
    cause: Cause
    subject: str
    demand: str = Field(description="What has to be done; of a check's order the sentence of what it found")
    deadline: date
    state: OrderState
    overdue: bool = Field(description="The deadline has passed without evidence")
    automatic: bool = Field(description="Issued by the daily check")
    issued_at: datetime
    settled_at: datetime | None
    edition: int
    steps: list[StepOut]


class OrderPage(BaseModel):
    total: int
    results: list[OrderOut]
