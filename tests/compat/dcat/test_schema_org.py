"""The description of a dataset that its page carries for search engines."""

from __future__ import annotations

import json
from collections.abc import Callable

from opendata.compat.dcat.schema_org import schema_org
from opendata.feeds.reading import Record

SITE = "https://data.example.cn"
Make = Callable[..., Record]


def test_a_whole_dataset(make: Make) -> None:
    view = make().view
    columns = {view.resources[0].id: [{"name": "code", "type": "string", "title": "代码"}]}
    found = json.loads(json.dumps(schema_org(view, columns, [], site_url=SITE)))
    assert found["@type"] == "Dataset"
    assert found["name"] == "行政区划街道代码 0"
    assert found["alternateName"] == "Street codes 0"
    assert found["url"] == f"{SITE}/zh/dataset/streets-0"
    assert found["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert found["temporalCoverage"] == "2023-01-01/2023-12-31"
    assert found["spatialCoverage"]["name"] == "南通市"
    assert found["publisher"]["name"] == "南通市统计局"
    assert found["variableMeasured"] == [{"@type": "PropertyValue", "name": "code", "description": "代码"}]
    (there,) = found["distribution"]
    assert there["contentUrl"] == f"{SITE}/api/v1/resources/{view.resources[0].id}/download"
    assert there["encodingFormat"] == "text/csv"


def test_in_english_where_there_is_any(make: Make) -> None:
    found = schema_org(make().view, {}, [], "en", site_url=SITE)
    assert found["name"] == "Street codes 0"
    assert found["description"] == "Codes of all streets and towns."
    assert found["publisher"]["name"] == "Nantong Statistics Bureau"
    assert schema_org(make({"title": "只有中文"}).view, {}, [], "en", site_url=SITE)["name"] == "只有中文"


def test_a_bare_and_a_conditional_dataset(make: Make) -> None:
    bare = schema_org(make({}, []).view, {}, [], site_url=SITE)
    assert bare["name"] == "streets-0"
    assert "distribution" not in bare
    asked = schema_org(make({"title": "x", "openness": "conditional"}).view, {}, [], site_url=SITE)
    assert asked["isAccessibleForFree"] is False
    assert "distribution" not in asked


def test_no_more_than_engines_read(make: Make) -> None:
    view = make({"title": "x", "description": "长" * 9000}).view
    columns = {view.resources[0].id: [{"name": f"c{i}", "type": "string"} for i in range(300)]}
    found = schema_org(view, columns, [], site_url=SITE)
    assert len(found["description"]) == 5000
    assert len(found["variableMeasured"]) == 50
