"""Every table, in one list for alembic and tests."""

from opendata.accounts import models as accounts
from opendata.accounts.notices import models as notices
from opendata.agencies import models as agencies
from opendata.agencies.delegation import models as delegation
from opendata.catalog import models as catalog
from opendata.core.database import Base
from opendata.inventory import models as inventory
from opendata.inventory.negative import models as negative
from opendata.inventory.plan import models as plan
from opendata.inventory.profile import models as profile
from opendata.publishing import models as publishing
from opendata.publishing.standing import models as standing
from opendata.review import models as review
from opendata.review.rounds import models as rounds
from opendata.supervision.alerts import models as alerts
from opendata.supervision.periodic import models as periodic
from opendata.supervision.rectification import models as rectification
from opendata.supervision.reports import models as reports
from opendata.supervision.scores import models as scores
from opendata.supervision.usage import models as usage
from opendata.tables import models as tables
from opendata.validation import models as validation
from opendata.work import audit, idempotency, pending

__all__ = [
    "accounts",
    "agencies",
    "alerts",
    "audit",
    "catalog",
    "delegation",
    "idempotency",
    "inventory",
    "negative",
    "notices",
    "pending",
    "periodic",
    "plan",
    "profile",
    "publishing",
    "rectification",
    "reports",
    "review",
    "rounds",
    "scores",
    "standing",
    "tables",
    "usage",
    "validation",
]

metadata = Base.metadata
