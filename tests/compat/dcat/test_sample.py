"""The sample catalogue as a harvester gets it, against the official shapes: with durable jobs, as `make run` loads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyshacl
import pytest
from asking import Asking
from rdflib import DCAT, RDF, Graph

from opendata.application import record_policy
from opendata.demo import catalogue
from opendata.main import create_app
from opendata.settings import Settings
from opendata.wiring import build

SHAPES = Path(__file__).parent / "shapes"


FEW = ("air-quality-daily", "ethnic-group-codes")
"""Of the sample catalogue; one with all that a dataset can say, one with little."""


@pytest.mark.parametrize("settings", ["light"], indirect=True)
@pytest.mark.parametrize(
    ("only", "count"),
    [
        pytest.param(FEW, 2, id="few", marks=pytest.mark.sample),
        pytest.param((), 14, id="all", marks=pytest.mark.heavy),
    ],
)
def test_the_sample_catalogue_fits_the_shapes(settings: Settings, only: Sequence[str], count: int) -> None:
    app = build(settings)
    record_policy(app)
    with app.running():
        catalogue.load(app, only=only)
    rules = Graph()
    for name in ("shapes.ttl", "range.ttl"):
        rules.parse(SHAPES / name)
    with Asking(create_app(app)) as client:
        addresses = ["/catalog.ttl", "/dataset/air-quality-daily.ttl"]
        feeds = [Graph().parse(data=client.get(a).text, format="turtle") for a in addresses]
    app.close()
    assert len(set(feeds[0].subjects(RDF.type, DCAT.Dataset))) == count
    for feed in feeds:
        conforms, _, report = pyshacl.validate(feed, shacl_graph=rules)
        assert conforms, report
