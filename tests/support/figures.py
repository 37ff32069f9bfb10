"""Figures that a run tells at its end: `record_property(FIGURE, line)` in a test, in whatever process it runs."""

from __future__ import annotations

from typing import Any

FIGURE = "figure"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """In the process that prints: it has the reports of all others, nothing else of theirs."""
    told = [
        line
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, line in report.user_properties
        if name == FIGURE
    ]
    if told:
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.write_line(line)
