"""A published report as a DOCX file, made when it is asked for."""

from __future__ import annotations

import tempfile
from pathlib import Path

from opendata.agencies.models import Agency
from opendata.catalog.codes import codes
from opendata.core.clock import day_of
from opendata.ports.sandbox.port import Sandbox
from opendata.supervision.reports.models import SECTIONS, YearlyReport
from opendata.supervision.scores.facts import Fact

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HEADINGS = ("一、总体情况", "二、存在问题", "三、改进计划", "四、年度数据")
"""Part of the document, which is Chinese, whatever language its reader has."""
TASK = "opendata.supervision.reports.tasks:document"


def make(sandbox: Sandbox, scratch: Path, report: YearlyReport, body: Agency) -> bytes:
    """The bytes of the document. Blocks; not to be called in a transaction that writes."""
    day = day_of(report.published_at or report.frozen_at).isoformat()
    until = f"截至 {report.year} 年 12 月 31 日，由平台自动统计。"
    words = [*(getattr(report, section) for section in SECTIONS), until]
    numbers = [
        (codes().label("fact", fact, "zh"), str(report.facts.get(fact, 0)))
        for fact in Fact
        if fact not in (Fact.BODIES, Fact.CONTACT_KNOWN)
    ]
    args = {
        "title": f"{body.title} {report.year} 年数据开放年度报告",
        "signed": f"{body.title} {day}",
        "sections": list(zip(HEADINGS, words, strict=True)),
        "numbers": numbers,
    }
    with tempfile.TemporaryDirectory(dir=scratch, prefix="report-") as folder:
        sandbox.run(TASK, args=args, output=Path(folder), keep=False)
        return Path(folder, "report.docx").read_bytes()
