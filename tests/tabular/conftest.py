from __future__ import annotations

from typing import Any

YIELD: list[str] = []
"""Lines about the yield of messy files, for the end of the run."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if YIELD:
        terminalreporter.section("yield of messy files")
        for line in YIELD:
            terminalreporter.write_line(line)
