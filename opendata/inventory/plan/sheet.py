"""The plan as CSV: the columns and words of the template `opening_plan`, then units, the day it is due, and whether it is late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from opendata.agencies.models import Agency
from opendata.inventory.models import Domain, Openness, UpdateCycle
from opendata.inventory.plan.models import OpenMethod, PlanStatus
from opendata.inventory.plan.queries import Planned

COLUMNS = (
    "year", "resource_code", "name", "agency", "agency_uscc", "domain", "open_type", "open_method", "update_cycle",
    "planned_on", "actual_on", "status", "delay_reason", "delayed_to", "lead_unit", "responsible_unit", "overdue",
)  # fmt: skip
WORDS: Mapping[str, str] = {
    Domain.LIVELIHOOD: "民生保障",
    Domain.PUBLIC_SERVICE: "公共服务",
    Domain.MARKET_SUPERVISION: "市场监管",
    Domain.OTHER: "其他",
    Openness.UNCONDITIONAL: "无条件开放",
    Openness.CONDITIONAL: "有条件开放",
    Openness.CLOSED: "不予开放",
    OpenMethod.DOWNLOAD: "文件下载",
    OpenMethod.API: "接口",
    OpenMethod.SANDBOX: "数据沙箱",
    OpenMethod.CUSTOM: "定制",
    UpdateCycle.REALTIME: "实时",
    UpdateCycle.DAILY: "每日",
    UpdateCycle.WEEKLY: "每周",
    UpdateCycle.MONTHLY: "每月",
    UpdateCycle.QUARTERLY: "每季度",
    UpdateCycle.HALF_YEARLY: "每半年",
    UpdateCycle.YEARLY: "每年",
    UpdateCycle.IRREGULAR: "不定期",
    UpdateCycle.NEVER: "不更新",
    PlanStatus.NOT_STARTED: "未开始",
    PlanStatus.IN_PROGRESS: "进行中",
    PlanStatus.OPENED: "已开放",
    PlanStatus.DELAYED: "延期",
    PlanStatus.CANCELLED: "取消",
}
"""The template's words: part of the format, whatever language a reader has."""


def rows(items: Iterable[Planned], agencies: Mapping[str, Agency]) -> Iterator[tuple[object, ...]]:
    """The header, then a row an item; cells in the order of `COLUMNS`."""
    yield COLUMNS
    for planned in items:
        item, line = planned.item, planned.line
        body = agencies[line.agency_id]
        yield (
            item.year, line.resource_code, line.title, body.title, body.uscc, WORDS[line.domain], WORDS[line.openness],
            WORDS[item.open_method], WORDS[line.update_cycle], item.planned_on, planned.actual_on, WORDS[planned.status],
            item.reason, item.delayed_to, item.lead_unit, item.responsible_unit, "是" if planned.overdue else "否",
        )  # fmt: skip
