"""Assembles the services of one API process from its settings. No routes or rules here."""

from dataclasses import replace
from typing import Any

from starlette.datastructures import State
from temporalio.client import Client

from activities.registry import action_schemas, load_all
from api.access import AccessPolicy
from api.audit.service import AuditService
from api.catalog.cache import CacheSettings
from api.catalog.options import OptionsService
from api.catalog.service import CatalogService
from api.drafts.service import DraftService
from api.health.item_outages import OutageService
from api.health.measures import Measures, MetricSources
from api.health.service import HealthDependencies, HealthService
from api.identity_assembly import admin_teams
from api.insights.service import InsightsService
from api.keys.service import KeysService
from api.metrics import ApiMetrics
from api.pagination import Cursors
from api.requests.bulk_decisions import BulkDecisionService
from api.requests.cleanups import CleanupService
from api.requests.commit_files import CommitFilesService
from api.requests.decisions import DecisionService, DecisionSettings
from api.requests.history import HistoryService
from api.requests.item_preparation import ItemPreparer
from api.requests.listing import ListingService
from api.requests.log import LogService
from api.requests.preparation import Preparer
from api.requests.prepared import SubmissionSettings
from api.requests.reading import ReadingService, ReadingSettings
from api.requests.references import ReferenceService
from api.requests.streams import StreamLimits, Streams
from api.requests.submission import SubmissionService
from api.services import Services
from api.sessions.address import WebAddress
from api.stars.service import StarService
from api.stores import PostgresAudit
from api.terraform.service import TerraformStatesService
from api.tools.service import ToolsService
from api.webhooks.catalog_signals import CatalogSignals
from api.webhooks.events import CatalogBranch
from api.webhooks.service import ForgeKind, ForgeWebhook, WebhookService
from catalog.configuration_checks import ActionModels
from catalog.planning import ActionTraits
from db.installation import Installation
from db.notifications import RequestNotifications
from db.session import Database
from pao.app import assembly
from pao.app.resumption import LostRequests, Resumer
from pao.clients.catalog_sync import CatalogSyncs
from pao.clients.inspection import WorkflowInspector
from pao.clients.queues import TaskQueues, polled_queues
from pao.clients.temporal import RequestWorkflows
from pao.clients.temporal_server import TemporalServer
from pao.settings import Settings

ACCEPTED_WITHIN = 2.0
"""Seconds that each retry of a bulk decision is waited for."""


def assemble_services(
    state: State,
    settings: Settings,
    *,
    notifications: RequestNotifications,
    jira: Any,
    client: Client,
) -> Services:
    """Return the services of one API process; ``state`` holds what the gate needs as well."""
    database: Database = state.database
    queue = settings.temporal.task_queue
    workflows = RequestWorkflows(client, task_queue=queue)
    box = assembly.secret_box(settings)
    access = AccessPolicy(admin_teams=admin_teams(settings))
    budget = settings.http.submission_budget.total_seconds()
    scope_context = assembly.scope_context(settings)
    actions = load_all()
    targets = {name: action.targets for name, action in actions.items()}
    catalog = _catalog(settings, database, client)
    options = OptionsService(
        catalog=catalog, database=database, scope_context=scope_context, workflows=workflows
    )
    cursors = Cursors(box)
    references = ReferenceService(access=access, database=database)
    reading = ReadingService(
        access=access,
        database=database,
        jira=jira,
        notifications=notifications,
        settings=ReadingSettings(
            ui_url=str(settings.temporal.ui_url) if settings.temporal.ui_url else None,
            namespace=settings.temporal.namespace,
        ),
    )
    validators = {
        name: one.validate_config for name, one in action_schemas().items() if one.validate_config
    }
    readers = {name: one.reader for name, one in action_schemas().items() if one.reader}
    submission_settings = SubmissionSettings(
        budget=budget,
        scope_context=scope_context,
        targets=targets,
        validators=validators,
        readers=readers,
        traits=_traits(),
        longest_wait=settings.http.api_timeout.total_seconds() - 5,
    )
    preparer = Preparer(
        ItemPreparer(access=access, box=box, settings=submission_settings), catalog, options
    )
    decisions = DecisionService(
        box=box,
        database=database,
        options=options,
        reading=reading,
        settings=DecisionSettings(
            budget=budget,
            models=ActionModels(scope_context, validators, targets),
            readers=readers,
        ),
        workflows=workflows,
        lost=LostRequests(
            database, WorkflowInspector(client, task_queue=queue), Resumer(database, workflows)
        ),
    )
    return Services(
        access=access,
        audit=AuditService(
            access=access, cursors=cursors, database=database, references=references
        ),
        catalog=catalog,
        cursors=cursors,
        identity=state.identity,
        insights=InsightsService(access=access, database=database),
        options=options,
        keys=KeysService(access=access, box=box, cursors=cursors, database=database),
        reading=reading,
        drafts=DraftService(database, box),
        sessions=state.web_sessions,
        sign_in_methods=state.sign_in_methods,
        web_address=WebAddress(settings.web.public_url) if settings.web.enabled else None,
        references=references,
        listing=ListingService(access=access, cursors=Cursors(box), database=database),
        submission=SubmissionService(
            box=box,
            database=database,
            notifications=notifications,
            preparer=preparer,
            settings=submission_settings,
            workflows=workflows,
        ),
        commit_files=CommitFilesService(workflows=workflows),
        decisions=decisions,
        bulk_decisions=BulkDecisionService(
            database=database,
            # Whether a retry is taken is known at once; what it comes to, the requests show.
            decisions=replace(
                decisions, settings=replace(decisions.settings, budget=ACCEPTED_WITHIN)
            ),
            reading=reading,
        ),
        history=HistoryService(access=access, database=database, reading=reading),
        stars=StarService(database),
        log=LogService(database, cursors),
        cleanups=CleanupService(box=box, database=database, reading=reading, workflows=workflows),
        terraform_states=TerraformStatesService(access=access, database=database, reading=reading),
        streams=_streams(settings, state.metrics),
        tools=ToolsService(action_schemas(), scope_context),
        health=HealthService(
            HealthDependencies(
                database=database,
                installation=Installation(database),
                notifications=notifications,
                workflows=workflows,
                temporal=TemporalServer(client, queue),
                jira=jira,
                catalog=catalog,
                # Three missed polls of the source in a row are no coincidence.
                unread_secrets=lambda: state.refresh.unread,
                catalog_age=3 * settings.catalog.poll_interval.total_seconds(),
            )
        ),
        outages=OutageService(database=database, jira=jira),
        measures=Measures(
            MetricSources(
                metrics=state.metrics,
                database=database,
                queues=TaskQueues(client, polled_queues(queue)),
                catalog=catalog,
            )
        ),
        metrics=state.metrics,
        webhooks=_webhooks(settings, client, state),
    )


def _streams(settings: Settings, metrics: ApiMetrics) -> Streams:
    given = settings.http
    streams = Streams(
        StreamLimits(
            most=given.max_streams,
            most_per_caller=given.max_streams_per_caller,
            heartbeat=given.stream_heartbeat,
            lifetime=given.stream_lifetime,
        )
    )
    metrics.streams.set_function(lambda: streams.open)
    metrics.streams_most.set(given.max_streams)
    return streams


def _webhooks(settings: Settings, client: Client, state: State) -> WebhookService:
    given = settings.catalog
    secrets = {
        ForgeKind.GITHUB: (given.github_webhook_secret, given.github_webhook_secret_previous),
        ForgeKind.GITLAB: (given.gitlab_webhook_secret, given.gitlab_webhook_secret_previous),
        ForgeKind.GIT: (given.git_webhook_secret, given.git_webhook_secret_previous),
    }
    places = {
        one: ForgeWebhook(
            [secret for secret in both if secret],
            CatalogBranch(given.repository, given.branch)
            if given.source == one.value and given.repository
            else None,
        )
        for one, both in secrets.items()
    }
    return WebhookService(
        places,
        CatalogSignals(CatalogSyncs(client, task_queue=settings.temporal.task_queue)),
        limiter=state.webhook_limiter,
        seconds=settings.http.api_timeout.total_seconds(),
        count=state.metrics.count_delivery,
    )


def _catalog(settings: Settings, database: Database, client: Client) -> CatalogService:
    return CatalogService(
        database,
        CatalogSyncs(client, task_queue=settings.temporal.task_queue),
        record=PostgresAudit(database).record,
        cache=CacheSettings(max_memory=settings.catalog.cache_max_memory),
        limits=settings.catalog.limits,
    )


def _traits() -> dict[str, ActionTraits]:
    return {
        name: ActionTraits(timeout=action.default_timeout, slow=action.slow, waits=action.waits)
        for name, action in load_all().items()
    }
