"""Counting in whole columns, a frame at a time. Nearly all cells are ruled out by two patterns; only what is left is looked at
again, by rule, and still as columns. No cell becomes a Python text except the few that are shown, masked."""

from __future__ import annotations

from datetime import date

import polars as pl

from opendata.core.checks import is_uscc
from opendata.review.detect import meaning, numbers, rules
from opendata.review.detect.meaning import Hint, Meaning
from opendata.review.detect.rules import SAMPLE, SEEN, Rule, Tally

_WIDE = r"[０-９Ａ-Ｚａ-ｚ＠．]"
_V = pl.col("v")

NUMBER_FORMS: dict[Rule, tuple[str, str]] = {
    Rule.MOBILE: (
        rf"(?:^|[^0-9.])(?:\+?86[ -]?|0)?{rules.PHONE}(?:[^0-9]|$)",
        rf"^\s*(?:(?:\+?86[ -]?|0)?{rules.PHONE}[\s、,，;；/]*)+$",
    ),
    Rule.LANDLINE: (
        rf"(?:^|[^0-9.]){rules.LINE}(?:[^0-9]|$)",
        rf"^\s*(?:{rules.LINE}(?:-[0-9]+)?[\s、,，;；/]*)+$",
    ),
    Rule.PASSPORT: (rf"^\s*{rules.PASSPORTS}\s*$",) * 2,
    Rule.PERMIT: (rf"^\s*{rules.PERMITS}\s*$",) * 2,
}
_NEVER = "a^"
SIGN_FORMS: dict[Rule, tuple[str, str]] = {
    Rule.PLATE: (rf"(?:^|[^{rules.PROVINCES}]){rules.PLATES}(?:[^A-Za-z0-9]|$)", rf"^\s*{rules.PLATES}\s*$"),
    Rule.EMAIL: (rf"[A-Za-z0-9._%+-]{rules.PRIVATE_MAIL}", rf"^\s*{rules.MAIL}\s*$"),
    Rule.PASSPORT: (rf"护照[号码是为:：\s]*{rules.PASSPORTS}", _NEVER),
    Rule.PERMIT: (rf"通行证[号码是为:：\s]*{rules.PERMITS}", _NEVER),
    Rule.SECRECY_MARK: (rules.MARKS, rules.MARKS),
    Rule.CREDENTIAL: (rules.SECRETS, rules.SECRETS),
    Rule.PASSWORD: (rules.PASSWORDS, rules.PASSWORDS),
}
HEADED: dict[Rule, tuple[Meaning, ...]] = {
    Rule.PERSON: (Meaning.NAME,),
    Rule.ADDRESS: (Meaning.HOME, Meaning.ADDRESS),
    Rule.BIRTH_DATE: (Meaning.BIRTH,),
    Rule.HOME_PLACE: (Meaning.PLACE,),
    Rule.SECRECY_MARK: (Meaning.SECRECY,),
}
"""Rules that are counted only in columns whose header asks for it."""
HEADED_FORMS: dict[Rule, str] = {
    Rule.ADDRESS: r"^[^*]*[0-9０-９一二三四五六七八九十]+\s*(?:室|号楼|幢|栋|单元|号|组|户)[^*]*$",
    Rule.BIRTH_DATE: r"^\s*(?:18|19|20)[0-9]{2}(?:[-/.年][01]?[0-9][-/.月][0-3]?[0-9]|[01][0-9][0-3][0-9](?:$|\s))",
    Rule.HOME_PLACE: r"[0-9]\.[0-9]{3,}",
    Rule.SECRECY_MARK: rules.MARKED,
}
FLAT = r"[0-9０-９]+\s*(?:室|号楼|幢|栋|单元|户)"
"""An address that leads to a flat, not to a building with its own number only."""


class Column:
    """One column of one table: its meaning, and what was counted in it."""

    def __init__(self, header: str, today: date, hint: Hint | None = None) -> None:
        self.header = header
        self.hint = hint or Hint()
        self.meanings = meaning.meanings(header, self.hint)
        self.today = today
        self.filled = 0
        self.flats = 0
        self.tallies: dict[Rule, Tally] = {}

    def tally(self, rule: Rule) -> Tally:
        return self.tallies.setdefault(rule, Tally())

    def feed(self, cells: pl.Series, digits: pl.Series, signs: pl.Series, before: int) -> None:
        """`digits`, `signs`: which cells hold what numbers, and other things, are made of; `before`: rows before these."""
        self.filled += len(cells) - int((cells == "").sum())
        if digits.any():
            self._numbers(_picked(cells, digits, before))
        if signs.any():
            self._forms(_picked(cells, signs, before), SIGN_FORMS)
        headed = [
            rule
            for rule, wanted in HEADED.items()
            if not self.meanings.isdisjoint(wanted) and (rule is not Rule.PERSON or not self.hint.mask)
        ]
        if headed or self.hint.mask:
            self._headed(_picked(cells, None, before), headed)

    def _numbers(self, picked: pl.DataFrame) -> None:
        self._forms(picked, NUMBER_FORMS)
        if Meaning.TRAVEL in self.meanings:
            self._note(Rule.PERMIT, picked.filter(_V.str.contains(r"^\s*[0-9]{8}\s*$")), None)
        runs = picked.filter(_V.str.contains(rules.RUN))
        if runs.height:
            self._runs(runs.with_columns(_V.str.extract_all(rules.RUN)).explode("v"))

    def _runs(self, runs: pl.DataFrame) -> None:
        runs = runs.filter(~_V.str.contains(".", literal=True))
        runs = runs.with_columns(_V.str.replace_all("[ -]", ""))
        # A tax number of a person is the identity number and two more places.
        longer = _V.str.contains(r"^[1-9][0-9]{19}$")
        runs = runs.with_columns(pl.when(longer).then(_V.str.slice(0, 18)).otherwise(_V))
        taken = self._residents(runs.filter(_V.str.len_bytes() == 18))
        old = runs.filter(_V.str.len_bytes() == 15)
        if old.height:
            self._note(Rule.OLD_RESIDENT_ID, old.filter(numbers.old_resident(old["v"])), old)
        cards = runs.filter(_V.str.len_bytes().is_between(15, 19) & ~_V.is_in(taken.implode()))
        if cards.height:
            form, valid = numbers.card(cards["v"])
            self.tally(Rule.BANK_CARD).candidates += int(form.sum())
            self._note(Rule.BANK_CARD, cards.filter(valid), None)

    def _residents(self, runs: pl.DataFrame) -> pl.Series:
        """Counts them; returns the values."""
        if not runs.height:
            return runs["v"]
        plausible, valid = numbers.resident(runs["v"], self.today)
        hits = runs.filter(valid)
        if hits.height and Meaning.BODY in self.meanings and Meaning.CODE in self.meanings:
            codes = [value for value in hits["v"].unique() if is_uscc(value.upper())]
            hits = hits.filter(~_V.is_in(codes))
        self.tally(Rule.RESIDENT_ID).candidates += int(plausible.sum())
        self._note(Rule.RESIDENT_ID, hits, None)
        return hits["v"]

    def _forms(self, picked: pl.DataFrame, forms: dict[Rule, tuple[str, str]]) -> None:
        """One pass over the cells for all rules; Polars spreads it over the cores."""
        hit = picked.select(_V.str.contains(some).alias(rule) for rule, (some, _) in forms.items())
        for rule, (_, whole) in forms.items():
            if hit[rule].any():
                hits = picked.filter(hit[rule])
                self._note(rule, hits, None)
                self.tally(rule).whole += int(hits["v"].str.contains(whole).sum())

    def _headed(self, picked: pl.DataFrame, headed: list[Rule]) -> None:
        for rule in headed:
            form = _is_name() if rule is Rule.PERSON else _V.str.contains(HEADED_FORMS[rule])
            self._note(rule, picked.filter(form), None)
            if rule is Rule.ADDRESS:
                self.flats += int(picked.select((form & _V.str.contains(FLAT)).sum()).item())
        if self.hint.mask in ("drop", "id_keep_3_4"):
            bare = _V.str.contains("[0-9]{6}") & ~_V.str.contains("*", literal=True)
            self._note(Rule.UNMASKED, picked.filter(bare), None)

    def note_names(self, names: pl.Series, kinds: pl.Series | None, before: int) -> None:
        """Of a column that a ready schema wants masked for natural persons: their names as they are."""
        self._note(Rule.PERSON, _picked(names, naturals(names, kinds, self.hint.natural), before), None)

    def _note(self, rule: Rule, hits: pl.DataFrame, candidates: pl.DataFrame | None) -> None:
        if not hits.height and candidates is None:
            return
        tally = self.tally(rule)
        tally.candidates += candidates.height if candidates is not None else 0
        tally.hits += hits.height
        if len(tally.sample) < SAMPLE:
            tally.sample += hits.head(SAMPLE - len(tally.sample)).select("row", "v").rows()
        if len(tally.seen) < SEEN:
            tally.seen |= set(hits["v"].head(4 * SEEN).unique().head(SEEN - len(tally.seen)))


def naturals(names: pl.Series, kinds: pl.Series | None, natural: str) -> pl.Series:
    """Which cells are a person's name as it is; where the kinds of the rows are known, only natural persons'."""
    shaped = pl.DataFrame({"v": names}).select(_is_name()).to_series()
    return shaped & (kinds.str.strip_chars() == natural) if kinds is not None else shaped


def triggers(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Which cells hold digits, and which hold signs, that any rule needs. Short columns cost nothing."""
    lengths = frame.select(pl.all().str.len_bytes().max()).row(0)
    long = [name for name, length in zip(frame.columns, lengths, strict=True) if (length or 0) >= 7]
    found = frame.lazy().select(
        *(pl.col(name).str.contains(rules.DIGITS).alias(f"d{name}") for name in long),
        *(pl.col(name).str.contains(rules.SIGNS).alias(f"s{name}") for name in long),
    )
    made = found.collect()
    nothing = pl.Series([False]).new_from_index(0, frame.height)
    return tuple(  # type: ignore[return-value]  # two of them
        pl.DataFrame([(made[kind + n] if n in long else nothing).alias(n) for n in frame.columns])
        for kind in "ds"
    )


def _picked(cells: pl.Series, mask: pl.Series | None, before: int) -> pl.DataFrame:
    """Columns `row` (from 1 below the header) and `v`; full-width digits and letters folded where there are some."""
    frame = pl.DataFrame({"v": cells}).with_row_index("row", offset=before + 1)
    if mask is not None:
        frame = frame.filter(mask)
        if frame["v"].str.contains(_WIDE).any():
            frame = frame.with_columns(_V.str.normalize("NFKC"))
    return frame


def _is_name() -> pl.Expr:
    text = _V.str.strip_chars()
    return text.str.contains(meaning.NAMES) & ~text.str.contains(meaning.NOT_NAMES)
