"""Strangers' addresses as parts of a graph: made valid, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import URIRef

from opendata.feeds.graph import mail_address, phone_address, web_address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("https://example.org", "https://example.org"),
        (" HTTP://Example.ORG:8080/a?b=c#d ", "http://example.org:8080/a?b=c#d"),
        (
            "http://例子.中国/数据?名=值",
            "http://xn--fsqu00a.xn--fiqs8s/%E6%95%B0%E6%8D%AE?%E5%90%8D=%E5%80%BC",
        ),
        (
            'https://example.org/a b"<c>{d}|e\\f^g`',
            "https://example.org/a%20b%22%3Cc%3E%7Bd%7D%7Ce%5Cf%5Eg%60",
        ),
        ("https://example.org/100%/a%20b", "https://example.org/100%25/a%20b"),
        ("https://example.org/#a#b", "https://example.org/#a%23b"),
        ("https://user:secret@example.org/x", "https://example.org/x"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("ftp://example.org/a.csv", "ftp://example.org/a.csv"),
    ],
)
def test_what_can_be_an_address_becomes_one(written: str, address: str) -> None:
    assert web_address(written) == address


@pytest.mark.parametrize(
    "written",
    [
        "",
        "example.org",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "http://a b/",
        "http://a:99999/",
        "http://[::1/",
        "http://<>/",
    ],
)
def test_what_cannot_is_refused(written: str) -> None:
    assert web_address(written) is None


@given(st.text(max_size=60))
def test_no_text_makes_an_address_that_cannot_be_written(tail: str) -> None:
    for address in (web_address("https://example.org/" + tail), web_address("http://" + tail)):
        if address is not None:
            assert URIRef(str(address)).n3()
            assert address.isascii()


def test_mail_and_telephone() -> None:
    assert mail_address(" a.b+c@example.cn ") == "mailto:a.b+c@example.cn"
    assert mail_address("a@b@c") is None
    assert mail_address("无") is None
    assert phone_address("0513-85098765 转 12") == "tel:0513-85098765;ext=12"
    assert phone_address("+86 (513) 8509 8765") == "tel:+8651385098765"
    assert phone_address("12345热线") == "tel:12345"
    assert phone_address("见公告") is None
