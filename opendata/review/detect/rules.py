"""What the screening looks for, and in which form. The patterns are read by two engines: Rust's (Polars) for whole
columns, which knows no look-around, and Python's for single texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Rule(StrEnum):
    RESIDENT_ID = "resident_id"
    OLD_RESIDENT_ID = "old_resident_id"
    """15 places, without a checksum (until 1999)."""
    BANK_CARD = "bank_card"
    MOBILE = "mobile"
    LANDLINE = "landline"
    PASSPORT = "passport"
    PERMIT = "permit"
    """Travel permits of Hong Kong, Macao and Taiwan, residence permits of foreigners."""
    PLATE = "plate"
    EMAIL = "email"
    ADDRESS = "address"
    PERSON = "person"
    """A natural person's name beside an identifier, or where the schema asks for a mask."""
    BIRTH_DATE = "birth_date"
    HOME_PLACE = "home_place"
    """Coordinates of people's homes."""
    UNMASKED = "unmasked"
    """The schema asks for a mask that is not there."""
    SECRECY_MARK = "secrecy_mark"
    CREDENTIAL = "credential"
    PASSWORD = "password"  # noqa: S105 - the rule's name
    NOT_SCREENED = "not_screened"


class Suggestion(StrEnum):
    MASK = "mask"
    DROP = "drop"
    GENERALISE = "generalise"
    LOOK = "look"
    """Nothing can be done to it by a machine: a person looks."""


SUGGESTIONS: Mapping[Rule, Suggestion] = {
    Rule.ADDRESS: Suggestion.GENERALISE,
    Rule.BIRTH_DATE: Suggestion.GENERALISE,
    Rule.HOME_PLACE: Suggestion.GENERALISE,
    Rule.CREDENTIAL: Suggestion.DROP,
    Rule.PASSWORD: Suggestion.DROP,
    Rule.SECRECY_MARK: Suggestion.LOOK,
    Rule.NOT_SCREENED: Suggestion.LOOK,
}
"""All others: mask."""

SAMPLE = 5


@dataclass(frozen=True)
class Found:
    """One rule's hits in one place (a column, or a metadata field)."""

    place: str
    rule: str
    confident: bool
    count: int
    sample: Sequence[Mapping[str, Any]] = ()
    """[{row, masked}]: what was found, never as it is."""
    reason: str = ""
    """Why it was decided so: a code of edge/messages (`screening.reason.*`)."""
    suggestion: str = Suggestion.MASK
    column: int | None = None
    """The column's number from 0; a text has none. Columns may share a name."""


@dataclass
class Tally:
    """Counts of one rule in one column."""

    hits: int = 0
    """Cells (of a rule with a checksum: values) that are one."""
    whole: int = 0
    """Of them, cells that hold nothing else."""
    candidates: int = 0
    """Values of the form that could have been one."""
    sample: list[tuple[int, str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """Different cells that hit, up to `SEEN`."""

    @property
    def repeated(self) -> bool:
        """Few values in many cells: a service's number, not people's."""
        return self.hits >= 5 and len(self.seen) * 3 <= self.hits and len(self.seen) < SEEN


SEEN = 5000

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
PHONE = r"1[3-9][0-9](?:[0-9]{8}|[ -][0-9]{4}[ -][0-9]{4})"
LINE = r"(?:\(0[1-9][0-9]{1,2}\)|（0[1-9][0-9]{1,2}）|0[1-9][0-9]{1,2}[ -]?)[2-8][0-9]{6,7}"
PLATES = (
    rf"[{PROVINCES}][A-HJ-NP-Z][·• ]?"
    r"(?:[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳]|[A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJK])"
)
MAIL = r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}"
PRIVATE_MAIL = (
    r"@(?i:(?:vip\.)?(?:qq|foxmail|163|126|sina|sohu|139|189|21cn)\.(?:com|cn|net)|yeah\.net|aliyun\.com|wo\.cn"
    r"|gmail\.com|(?:outlook|hotmail|live|yahoo|icloud|proton)\.[a-z.]{2,6}|(?:protonmail|msn|me|gmx)\.[a-z]{2,3})"
)
"""Mailboxes that anybody can have: those of a body are no person's."""
PASSPORTS = r"(?:[EG][0-9]{8}|E[A-HJ-NP-Z][0-9]{7})"
PERMITS = r"(?:[HM][0-9]{8}(?:[0-9]{2})?|C[0-9A-HJ-NP-Z][0-9]{7}|[A-Z]{3}[0-9]{12})"
SPACED_ID = r"[1-9][0-9]{5}[ -](?:18|19|20)[0-9]{6}[ -][0-9]{3}[0-9Xx]"
SPACED_CARD = r"[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?"
RUN = rf"(?:[0-9]\.)?[0-9]{{15,}}[Xx]?|{SPACED_ID}|{SPACED_CARD}"
"""A maximal run of digits that could be, or hold, an identifier. One behind a decimal point shows the point."""
CARD_FORM = r"^(?:62[0-9]{14,17}|9558[0-9]{15}|4[0-9]{15}|5[1-5][0-9]{14}|2[2-7][0-9]{14}|35[0-9]{14}|60[0-9]{14}|65[0-9]{14}|3[47][0-9]{13})$"
"""Issuer prefixes and lengths (ISO/IEC 7812): UnionPay, an old Chinese one, Visa, Mastercard, JCB, Discover, Amex."""

MARKS = (
    r"(?:绝密|机密|秘密)(?:级)?[ \t　]*[★☆]|[★☆][ \t　]*(?:绝密|机密|秘密)|密级[ \t　]*[:：][ \t　]*(?:绝密|机密|秘密)"
    r"|内部(?:资料|文件|材料|使用)[ \t　]*[,，、:：;；!！()（）—-]?[ \t　]*(?:注意保存|妥善保管|请勿外传|严禁外传|不得外传|禁止外传|勿外传|不得公开|严禁翻印)"
)
"""Secrecy markings in the form in which documents carry them: 秘密★10年, 内部资料 注意保存. The words alone are words."""
MARKED = r"^[ \t　]*(?:绝密|机密|秘密)(?:级)?[ \t　]*$"
"""A cell of a column 密级: there the word alone is a marking."""


def _secrets(scheme: str, any_: str, some: str, token: str) -> str:
    return (
        r"-----BEGIN (?:[A-Z]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----"
        r"|(?:AKIA|ASIA)[0-9A-Z]{16}|LTAI[0-9A-Za-z]{12,30}|AKID[0-9A-Za-z]{32}|AIza[0-9A-Za-z_-]{35}"
        r"|gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{50,}|xox[abprs]-[0-9A-Za-z-]{10,}|ogd_[0-9A-Za-z_-]{20,}"
        rf"|eyJ[0-9A-Za-z_-]{token}\.eyJ[0-9A-Za-z_-]{token}\.[0-9A-Za-z_-]+"
        rf"|[a-zA-Z][a-zA-Z0-9+.-]{scheme}://[^\s/:@?#]{any_}:[^\s/@]{some}@[^\s/]"
        rf"|(?i:jdbc:[^\s]{any_}[?&;](?:password|pwd)=[^\s&;]{some})"
        rf"|(?i:(?:server|data source|host)=[^;]{some};[^\n]{any_}(?:password|pwd)=[^;\s]{some})"
    )


SECRETS = _secrets("*", "*", "+", "+")
"""Private keys, keys of clouds (AWS, Aliyun, Tencent, Google) and forges, our tokens, JWTs, passwords in addresses. No word
boundaries: Rust finds those of Unicode slowly."""
SECRETS_IN_TEXT = _secrets("{0,20}", "{0,300}", "{1,300}", "{1,2000}")
"""The same for Python, whose engine goes back: bounded, so that no text makes it go back for ever."""
PASSWORDS = r"(?i:(?:password|passwd|pwd|secret|api_?key)|密码|口令)[ \t]*[:：=][ \t]*[!-~]{6,}"

DIGITS = r"[0-9０-９]{7}|[0-9][ -][0-9]{4}[ -][0-9]{3,4}"
"""What a cell must hold to be looked at for numbers."""
NUMBERS_IN_TEXT = r"[0-9]{7}|[0-9][ -][0-9]{4}[ -][0-9]{3}"
"""The same for a text whose signs are folded."""
SIGNS = (
    r"[@＠★☆]|密级|内部[资文材使]|-----BEGIN|AKIA|ASIA|LTAI|AKID|AIza|gh[pousr]_|github_pat_|xox[abprs]-|eyJ[0-9A-Za-z_-]{8}|ogd_"
    rf"|(?i:passw|pwd|secret|api_?key)|密码|口令|护照|通行证|[{PROVINCES}][A-HJ-NP-Z][·• ]?[A-HJ-NP-Z0-9]{{4}}"
)
"""... and for everything else."""
