"""Regular expressions of strangers: which are allowed at all, and which mean the same in two engines.

frictionless runs `pattern` by Python's `re`, whose time can double with each character; a pattern must therefore compile in
RE2, which has neither look-around nor back-references. The CPU limit of the sandbox is the second wall.
"""

from __future__ import annotations

import re

import re2

MAX_LENGTH = 1000
MAX_MEMORY = 1 << 20

_SAFE = re.compile(
    r"""(?:
      [^\\\[\](){}*+?|^$.&~]            # a literal
    | [().|^$]                          # groups, alternatives, anchors, any character
    | \\[-.\\/()+*?\[\]{}|^$]           # an escaped sign
    | \\d
    | \[(?:[0-9A-Za-z_\u4e00-\u9fff](?:-[0-9A-Za-z\u4e00-\u9fff])?|\\d|\\-)+-?\]
    | (?:\?|\*|\+|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})(?![?+*{])
    )*""",
    re.VERBOSE,
)


def refused(pattern: str) -> str | None:
    """Why a pattern may not be used (RE2's own words naming the construct), None if it may."""
    if len(pattern) > MAX_LENGTH:
        return f"longer than {MAX_LENGTH} characters"
    options = re2.Options()
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not understood"
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    except (UnicodeEncodeError, ValueError):
        return "not text"
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return "not understood by every engine"
    return None


def provable(pattern: str) -> str | None:
    """The pattern for Polars' engine, matching at most what frictionless' `re.match("^" + pattern + "$", cell)` matches;
    None for what may differ between the engines (`\\d` also means other scripts' digits there: taken as 0-9 here)."""
    if "(?" in pattern.replace("(?:", "(") or not _SAFE.fullmatch(pattern.replace("(?:", "(")):
        return None
    if refused(pattern) is not None:
        return None
    narrowed = re.sub(r"\[[^\]]*\]|\\.", _narrow, pattern)
    # \A: re.match binds the first alternative only by its own anchor, but all of them to the start.
    return rf"\A(?:^{narrowed}$)"


def _narrow(part: re.Match[str]) -> str:
    text = part.group()
    if text.startswith("["):
        return text.replace(r"\d", "0-9")
    return "[0-9]" if text == r"\d" else text
