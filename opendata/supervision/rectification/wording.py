"""What an order says, in its reader's language: a person's words as they are, a check's finding as a sentence."""

from __future__ import annotations

from opendata.supervision.rectification.models import Act, Order, Step
from opendata.supervision.sentences import sentence


def demand_of(order: Order, language: str) -> str:
    return order.demand or sentence(f"cause.{order.cause}", order.params, language)


def text_of(order: Order, step: Step, language: str) -> str:
    checked = step.act == Act.EVIDENCE.value and not step.text
    return sentence(f"cured.{order.cause}", order.params, language) if checked else step.text
