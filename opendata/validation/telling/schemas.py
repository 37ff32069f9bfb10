"""The shapes in which the API tells findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from opendata.validation.telling.groups import Group, grouped, is_complete


class SentenceOut(BaseModel):
    zh: str
    en: str


class ValueOut(BaseModel):
    value: str = Field(
        description="The cell, or the header's label; empty for a blank one and for a whole row"
    )
    count: int
    rows: list[int] = Field(description="The first rows that have it, as the file counts them")


class GroupOut(BaseModel):
    column: str = Field(description="As the file calls it; empty for whole rows and for the table")
    field_number: int | None = Field(description="The column's place from 1")
    rule: str = Field(
        description="Type of the error; after a point the check's reason, the constraint or the field's type"
    )
    count: int
    sentence: SentenceOut = Field(description="What is wrong, and how to mend it")
    distinct: int = Field(description="How many different values are wrong so")
    values: list[ValueOut] = Field(description="The commonest of them, with counts")


class FindingsOut(BaseModel):
    listed: int = Field(description="How many errors the groups stand for")
    complete: bool = Field(description="Whether these are all; a report stops at a limit")
    groups: list[GroupOut]


def findings_out(
    report: Mapping[str, Any], schema: Mapping[str, Any], own: Mapping[str, str] | None = None
) -> FindingsOut:
    """The errors of a frictionless report by column, rule and bad value (`groups.grouped`)."""
    groups = grouped(report, schema, own)
    return FindingsOut(
        listed=sum(group.count for group in groups),
        complete=is_complete(report),
        groups=[_group(group) for group in groups],
    )


def _group(group: Group) -> GroupOut:
    return GroupOut(
        column=group.column,
        field_number=group.place or None,
        rule=group.rule,
        count=group.count,
        sentence=SentenceOut(**group.sentence),
        distinct=len(group.seen),
        values=[ValueOut(value=one.value, count=one.count, rows=one.rows) for one in group.values],
    )
