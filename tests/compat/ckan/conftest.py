"""CKAN's Action API as its clients call it, over the office of the shared fixtures."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ckan_callers import Callers, called
from office import Office
from places import furnished


@furnished
def neighbours(office: Office, settle: Callable[[], None]) -> None:
    """Another organization, whose editor is the stranger."""
    called(office, settle)


@pytest.fixture
def callers(office: Office, neighbours: None, settle: Callable[[], None]) -> Callers:
    return called(office, settle)
