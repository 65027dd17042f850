"""Builds the tools that actions use, from the settings. Starts nothing."""

import os
from collections.abc import Mapping

from activities.breakers import BreakerLimits, BreakerOptions, Breakers, SharedBreakerStore
from activities.execution_log import ExecutionLogs
from activities.outgoing import NetworkAccess
from activities.session_factory import Tools
from activities.state_registry import StateRegistry
from activities.target_shares import TargetShares
from db.session import Database
from pao.app import assembly
from pao.app.action_options import action_options
from pao.app.catalog_forges import wire_options
from pao.clients.jira.instances import JiraInstances
from pao.clients.outgoing import HttpClient
from pao.clients.secret_store import (
    EnvironmentSecrets,
    FolderSecrets,
    ParameterStoreSecrets,
    SecretSource,
    SecretStore,
)
from pao.settings import ActionSettings, Settings


def action_tools(
    settings: Settings,
    *,
    database: Database,
    jira: JiraInstances,
    environ: Mapping[str, str] | None = None,
) -> Tools:
    """Return the tools of actions; the owner of the worker closes their network.

    ``environ`` is the environment that the process was started with.
    """
    started_with = os.environ if environ is None else environ
    options = action_options(settings, started_with)
    titles = jira.titles | options.github.instances.titles
    return Tools(
        box=assembly.secret_box(settings),
        jira=jira,
        scope_context=assembly.scope_context(settings),
        options=options,
        logs=ExecutionLogs(database),
        network=network(settings.actions, database, shares(settings), titles),
        secrets=secret_store(settings, started_with),
        states=StateRegistry(database),
    )


def secret_store(settings: Settings, environ: Mapping[str, str]) -> SecretStore:
    """Return the operator's secrets: environment first, then the folder, then Parameter Store."""
    given = settings.actions
    sources: list[SecretSource] = [EnvironmentSecrets(environ)]
    if given.secrets_dir is not None:
        sources.append(FolderSecrets(given.secrets_dir))
    if given.secrets_parameter_prefix is not None:
        region = environ.get("AWS_REGION") or settings.auth.region
        endpoint = environ.get("AWS_ENDPOINT_URL_SSM")
        prefix = given.secrets_parameter_prefix
        sources.append(ParameterStoreSecrets(prefix, region=region, endpoint=endpoint))
    return SecretStore(sources)


def shares(settings: Settings) -> TargetShares:
    """Return the slots per target on the main queue; slow actions and waits have other pools."""
    most = settings.worker.target_share or max(1, settings.worker.pool_size // 2)
    return TargetShares({settings.temporal.task_queue: most})


def network(
    settings: ActionSettings,
    database: Database | None = None,
    shares: TargetShares | None = None,
    titles: Mapping[str, str] | None = None,
) -> NetworkAccess:
    """Return the outgoing network: rules, proxy, trust, and the breakers that all workers share.

    ``titles`` are the display names of targets.
    """
    store = SharedBreakerStore(database) if database is not None else None
    return NetworkAccess(
        client=HttpClient(wire_options(settings)),
        breakers=Breakers(store, breaker_options(settings, titles or {}), shares),
    )


def breaker_options(settings: ActionSettings, titles: Mapping[str, str]) -> BreakerOptions:
    """Return when circuit breakers open, and for how long."""
    return BreakerOptions(
        limits=BreakerLimits(
            failures=settings.breaker_failures, seconds=settings.breaker_open.total_seconds()
        ),
        limits_by_target={
            target: BreakerLimits(failures=failures, seconds=open_for.total_seconds())
            for target, (failures, open_for) in settings.breaker_targets.items()
        },
        titles=titles,
    )
