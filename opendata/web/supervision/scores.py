"""The scores of a quarter, with the rules and facts that they come from."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from opendata.agencies import queries as agencies
from opendata.edge.http import AppSettings
from opendata.supervision import policy
from opendata.supervision.scores import queries, service
from opendata.supervision.scores.api import export_evidence, quarter_of, switched_on
from opendata.supervision.scores.rules import RuleSet, evaluate
from opendata.web.http import MemberWork, PageWork
from opendata.web.render import page

router = APIRouter(dependencies=[Depends(switched_on)])


@router.get("/scores")
def scores(
    request: Request, language: str, work: PageWork, settings: AppSettings, quarter: str = ""
) -> Response:
    """Those of a quarter that is over are everybody's; of the running one each body sees its own."""
    asked = quarter_of(work, quarter)
    found = queries.of_quarter(work, asked)
    version = queries.version(work, found[0].rules_version) if found else service.current(work)
    rules = (
        RuleSet.model_validate(version.content) if version else service.delivered(settings.catalog_schemas)
    )
    bodies = agencies.by_ids(work.session, {score.agency_id for score in found})
    return page(
        request,
        "supervision/scores.html",
        language,
        quarter=asked,
        quarters=sorted({asked, *queries.quarters(work)}, reverse=True),
        rows=[(bodies[score.agency_id], score, evaluate(rules, score.facts)[1]) for score in found],
        rules=rules,
        version=version.version if version else 1,
        watches=policy.may_watch(work.actor),
    )


@router.get("/console/scores/evidence")
def take_along(request: Request, work: MemberWork, settings: AppSettings, quarter: str = "") -> Response:
    """What the scores stand on, as a ZIP; for those who watch."""
    return export_evidence(work, settings, quarter)
