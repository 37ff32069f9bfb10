"""Every table, in one list for alembic and tests."""

from opendata.accounts import models as accounts
from opendata.accounts.notices import models as notices
from opendata.agencies import models as agencies
from opendata.agencies.delegation import models as delegation
from opendata.catalog import models as catalog
from opendata.catalog.library import models as library
from opendata.catalog.roworders import models as roworders
from opendata.changes import models as changes
from opendata.changes.webhooks import models as webhooks
from opendata.compat.ckan.activities import models as ckan_activities
from opendata.compat.ckan.following import models as ckan_following
from opendata.compat.ckan.migration import models as ckan_migration
from opendata.compat.ckan.tasks import models as ckan_tasks
from opendata.core.database import Base
from opendata.feeds.dumps import models as dumps
from opendata.harvest import models as harvest
from opendata.inventory import models as inventory
from opendata.inventory.catalogues import models as catalogues
from opendata.inventory.negative import models as negative
from opendata.inventory.plan import models as plan
from opendata.inventory.profile import models as profile
from opendata.publishing import models as publishing
from opendata.publishing.standing import models as standing
from opendata.publishing.trust import models as trust
from opendata.reporting import models as reporting
from opendata.review import models as review
from opendata.review.rounds import models as rounds
from opendata.supervision.alerts import models as alerts
from opendata.supervision.links import models as links
from opendata.supervision.mqa import models as mqa
from opendata.supervision.periodic import models as periodic
from opendata.supervision.rectification import models as rectification
from opendata.supervision.reports import models as reports
from opendata.supervision.scores import models as scores
from opendata.supervision.usage import models as usage
from opendata.tables import models as tables
from opendata.tables.rows import models as rows
from opendata.validation import models as validation
from opendata.work import audit, idempotency, pending

__all__ = [
    "accounts",
    "agencies",
    "alerts",
    "audit",
    "catalog",
    "catalogues",
    "changes",
    "ckan_activities",
    "ckan_following",
    "ckan_migration",
    "ckan_tasks",
    "delegation",
    "dumps",
    "harvest",
    "idempotency",
    "inventory",
    "library",
    "links",
    "mqa",
    "negative",
    "notices",
    "pending",
    "periodic",
    "plan",
    "profile",
    "publishing",
    "rectification",
    "reporting",
    "reports",
    "review",
    "rounds",
    "roworders",
    "rows",
    "scores",
    "standing",
    "tables",
    "trust",
    "usage",
    "validation",
    "webhooks",
]

metadata = Base.metadata
