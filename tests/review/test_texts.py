"""Free texts: the first look at all of them never says no where the whole scan finds something."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendata.review.detect import texts

TODAY = date(2026, 11, 25)
TOKEN = "a1B2" * 12
HOLDING = [
    "11010519491231002X", "320602 19850101 1231", "３２０６０２１９８５０１０１１２３１", "6222 0200 0000 0000 012", "4111111111111111",
    "13812345678", "138 1234 5678", "+86-13812345678", "0513-85212345", "(0513)8521234", "（010）85212345", "E12345678", "EA1234567",
    "苏F12345", "苏F·D12345", "粤Z 1234港", "zhang@163.com", "li@VIP.QQ.com", "a.b@gmail.com", "-----BEGIN RSA PRIVATE KEY-----",
    f"AKIA{'A' * 16}", f"ASIA{'B' * 16}", f"LTAI{'c' * 16}", f"AKID{'D' * 32}", f"AIza{'e' * 35}", f"ghp_{TOKEN[:36]}",
    f"github_pat_{TOKEN}{TOKEN}", f"xoxb-{TOKEN}", f"ogd_{TOKEN}", "eyJa.eyJb.c", "postgres://me:pw@db", "https://:x@y",
    "jdbc:mysql://h/d?user=a&PASSWORD=b", "Server=h;Database=d;Pwd=x", "password: Abc123!", "Passwd=abcdef", "API_KEY: 12ab!?x",
    "apikey：abcdef", "Secret= hunter22", "ſecret=hunter22", "密码：abc123", "口令=abcdef", "秘密★10年", "★ 机密", "密级：秘密",
    "内部资料 注意保存",
]  # fmt: skip
PLAIN = ["Kreise und Städte", "街道 2026 年", "http://example.org/d/17/1.csv", "office@nantong.gov.cn", "", "\n", "\u2028", "：", "1", " ", "-", "@"]  # fmt: skip


@pytest.mark.parametrize("text", HOLDING)
def test_what_the_scan_finds_the_first_look_sees(text: str) -> None:
    if texts.scan("title", text, TODAY):
        assert texts.may_hold(text)


def test_the_vectors_hold_something() -> None:
    """But for forms that a checksum or a pattern refuses, so that the test above cannot pass by finding nothing."""
    assert sum(bool(texts.scan("title", text, TODAY)) for text in HOLDING) >= len(HOLDING) - 1


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(HOLDING + PLAIN) | st.text(max_size=12), max_size=12),
    st.sampled_from(["", "\n", " ", "x"]),
)
def test_the_first_look_at_all_texts_never_says_no_for_something(parts: list[str], between: str) -> None:
    found = [hit for part in (*parts, between.join(parts)) for hit in texts.scan("title", part, TODAY)]
    if found:
        assert texts.may_hold("\n".join([*parts, between.join(parts)]))


@pytest.mark.parametrize("text", [text for text in PLAIN if text])
def test_plain_texts_are_passed_over(text: str) -> None:
    assert not texts.may_hold(text)
