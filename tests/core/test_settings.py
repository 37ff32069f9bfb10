"""Settings that depend on how the server was started."""

from __future__ import annotations

import pytest

from opendata.settings import Settings


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),  # noqa: S104 - compared, not bound
        ("::1", "http://[::1]:8123"),
        ("data.example.org", "http://data.example.org:8123"),
    ],
)
def test_the_site_is_where_it_is_served(host: str, address: str) -> None:
    assert Settings().served_at(host, 8123).site_url == address


def test_a_site_address_that_is_set_stays() -> None:
    found = Settings.from_env({"OPENDATA_SITE_URL": "https://data.example.gov.cn/"})
    assert found.served_at("127.0.0.1", 8123).site_url == "https://data.example.gov.cn"
