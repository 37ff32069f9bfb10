"""Sketches against the truth."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest

from opendata.tabular.infer import Inference
from opendata.tabular.profiling import semantics, sketches
from opendata.tabular.profiling.columns import Statistics


def profiled(frames: list[pl.DataFrame], names: list[str]) -> list[dict[str, Any]]:
    inference = Inference(names)
    statistics = Statistics(inference.columns)
    for frame in frames:
        statistics.feed(frame, inference.feed(frame))
    return statistics.result()


def test_estimates_of_a_large_table_are_near_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketches, "SAMPLE_CELLS", 20_000)
    drawn = random.Random(1)
    values = [drawn.gauss(100, 15) for _ in range(100_000)]
    texts = [f"{value:.4f}" for value in values]
    kinds = ["rare" if n % 50 == 0 else f"k{n % 3}" for n in range(100_000)]
    whole = pl.DataFrame({"c0": texts, "c1": kinds})
    number, kind = profiled([whole.slice(at, 9000) for at in range(0, 100_000, 9000)], ["x", "kind"])
    exact = pl.Series(texts).cast(pl.Float64)
    assert (number["min"], number["max"]) == (exact.min(), exact.max())
    assert number["mean"] == pytest.approx(exact.mean(), rel=1e-9)
    assert number["distinct"]["is_estimate"]
    assert number["distinct"]["value"] == pytest.approx(exact.n_unique(), rel=0.1)
    assert number["quantiles"]["is_estimate"]
    for share, value in number["quantiles"]["values"]:
        assert float((exact < value).mean()) == pytest.approx(share, abs=0.02)
    assert sum(number["histogram"]["counts"]) == pytest.approx(100_000, rel=0.01)
    assert kind["distinct"] == {"value": 4, "is_estimate": False}
    counted = {one["value"]: one["count"] for one in kind["top"]["values"]}
    assert counted["rare"] == pytest.approx(2000, rel=0.2)


def test_small_tables_are_exact() -> None:
    frame = pl.DataFrame({"c0": ["1", "1", "", "3"], "c1": ["a", "", "", ""]})
    first, second = profiled([frame], ["n", "t"])
    assert first["distinct"] == {"value": 2, "is_estimate": False}
    assert first["top"] == {
        "values": [{"value": "1", "count": 2}, {"value": "3", "count": 1}],
        "is_estimate": False,
    }
    assert second["top"]["values"] == []
    assert profiled([], ["n"])[0]["semantic_type"] == "empty"


@pytest.mark.parametrize(
    ("name", "values", "meant"),
    [
        ("证件", ["320602199001011234", "32060219850505123X"], "resident_id"),
        ("代码", ["91350100M000100Y43", "91320600MA1MXXXX1A"], "uscc"),
        ("联系电话", ["0513-85216111", "85216111"], "telephone"),
        ("电话", ["13800138000", "13900139000"], "mobile"),
        ("法定代表人", ["张三", "李四"], "person_name"),
        ("网址", ["https://example.org/a"], "url"),
        ("区划代码", ["320602", "320612"], "region_code"),
        ("住址", ["南通市崇川区", "海门区"], "address"),
        ("金额", ["1.5", "2"], "money"),
        ("年份", ["2023", "2024"], "year"),
        ("文号", ["a", "b"], "identifier"),
        ("备注", ["a", "a", "b", "c", "d"], "text"),
    ],
)  # fmt: skip
def test_semantic_types(name: str, values: list[str], meant: str) -> None:
    inference = Inference([name])
    inference.feed(pl.DataFrame({"c0": values}))
    cells = pl.Series(values)
    assert semantics.of(name, inference.columns[0].type, cells, cells.n_unique()) == meant
