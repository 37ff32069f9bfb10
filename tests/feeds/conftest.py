"""What is done here is done in the background, and meets what is done meanwhile."""

import pytest


@pytest.fixture
def durable() -> bool:
    return True
