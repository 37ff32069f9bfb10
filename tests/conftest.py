"""The plugins of the tests. What the tests of the whole application share: tests/support/shared.py."""

from __future__ import annotations

import machine
import pytest
from figures import pytest_terminal_summary as pytest_terminal_summary
from forks import pytest_xdist_setupnodes as pytest_xdist_setupnodes


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """A process that only hands out tests to others needs no fixtures: they import the whole program, which takes seconds."""
    machine.choose()
    if config.getoption("dist", "no") == "no":
        config.pluginmanager.import_plugin("shared")
