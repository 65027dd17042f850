"""The services that routes use: the parts of one API process, assembled by app.py."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.access import AccessPolicy
from api.audit.service import AuditService
from api.auth.principal import Principal
from api.catalog.options import OptionsService
from api.catalog.service import CatalogService
from api.drafts.service import DraftService
from api.health.item_outages import OutageService
from api.health.measures import Measures
from api.health.service import HealthService
from api.insights.service import InsightsService
from api.keys.service import KeysService
from api.metrics import ApiMetrics
from api.pagination import Cursors
from api.requests.bulk_decisions import BulkDecisionService
from api.requests.cleanups import CleanupService
from api.requests.commit_files import CommitFilesService
from api.requests.decisions import DecisionService
from api.requests.history import HistoryService
from api.requests.listing import ListingService
from api.requests.log import LogService
from api.requests.reading import ReadingService
from api.requests.references import ReferenceService
from api.requests.streams import Streams
from api.requests.submission import SubmissionService
from api.sessions.address import WebAddress
from api.sessions.service import SessionService
from api.sessions.sign_in_methods import SignInMethods
from api.signed_calls import Identity
from api.stars.service import StarService
from api.terraform.service import TerraformStatesService
from api.tools.service import ToolsService
from api.webhooks.service import WebhookService


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a route may call."""

    access: AccessPolicy
    audit: AuditService
    catalog: CatalogService
    cursors: Cursors
    identity: Identity
    insights: InsightsService
    keys: KeysService
    streams: Streams
    submission: SubmissionService
    commit_files: CommitFilesService
    options: OptionsService
    reading: ReadingService
    drafts: DraftService
    sessions: SessionService
    sign_in_methods: SignInMethods
    web_address: WebAddress | None
    """None where the pages are switched off."""
    listing: ListingService
    log: LogService
    references: ReferenceService
    decisions: DecisionService
    bulk_decisions: BulkDecisionService
    history: HistoryService
    stars: StarService
    cleanups: CleanupService
    terraform_states: TerraformStatesService
    tools: ToolsService
    health: HealthService
    outages: OutageService
    measures: Measures
    metrics: ApiMetrics
    webhooks: WebhookService


# Coroutines: FastAPI calls a plain function in a thread, for each request anew.
async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _caller(request: Request) -> Principal:
    caller: Principal = request.state.principal
    return caller


async def _correlation(request: Request) -> str:
    return str(request.state.correlation_id)


ServicesDep = Annotated[Services, Depends(_services)]
Caller = Annotated[Principal, Depends(_caller)]
Correlation = Annotated[str, Depends(_correlation)]
