"""Builds sources of catalogs in repositories, and their reporters, from the settings."""

from dataclasses import dataclass

from catalog.ownership import CodeOwnersCheck, CodeOwnersDialect, OwnershipMode
from catalog.sources.proposals import ProposalReporter, ProposalSource
from catalog.sources.source import CatalogSource
from pao.app import assembly
from pao.app.git_sources.git_commands import GitRemote
from pao.app.git_sources.github import GitHubLocation, GitHubSource
from pao.app.git_sources.github_reports import GitHubReporter
from pao.app.git_sources.gitlab import GitLabLocation, GitLabSource
from pao.app.git_sources.gitlab_reports import GitLabReporter
from pao.app.git_sources.outgoing_calls import OutgoingCalls
from pao.app.git_sources.plain_git import GitLocation, GitSource
from pao.clients.gitlab import GitLabInstance
from pao.clients.outgoing import ConnectionOptions, EgressRules, HttpClient
from pao.settings import ActionSettings, Settings

PLATFORM_PAGE = "/platform"


@dataclass(frozen=True, slots=True)
class CatalogForge:
    """A source on a forge, and the reporter to it."""

    source: ProposalSource
    reporter: ProposalReporter


def forge(settings: Settings) -> CatalogForge | None:
    """Return the forge that the catalog is on, or None."""
    if settings.catalog.source == "github":
        return _github(settings)
    return _gitlab(settings) if settings.catalog.source == "gitlab" else None


def git_source(settings: Settings) -> CatalogSource:
    """Return the catalog in a plain repository."""
    given, network = settings.catalog, settings.actions
    remote = GitRemote(
        url=given.repository or "",
        user=given.git_user,
        token=given.git_token,
        rules=EgressRules.parse(network.egress_allow),
        proxy=network.egress_proxy,
        ca_bundle=network.egress_ca_bundle,
    )
    place = GitLocation(
        branch=given.branch, folder=given.repository_path, ownership=_mode(settings)
    )
    return GitSource(remote, place)


def owners_check(settings: Settings) -> CodeOwnersCheck | None:
    """Return the check of documents against CODEOWNERS; None where it is off."""
    mode = _mode(settings)
    if mode is OwnershipMode.OFF:
        return None
    dialect = (
        CodeOwnersDialect.GITLAB
        if settings.catalog.source == "gitlab"
        else CodeOwnersDialect.GITHUB
    )
    return CodeOwnersCheck(
        mode,
        dialect,
        folder=settings.catalog.repository_path,
        teams=settings.catalog.owner_teams,
    )


def wire_options(settings: ActionSettings) -> ConnectionOptions:
    """Return the options of outgoing calls: rules, proxy, trust."""
    return ConnectionOptions(
        rules=EgressRules.parse(settings.egress_allow),
        proxy=settings.egress_proxy.get_secret_value() if settings.egress_proxy else None,
        no_proxy=EgressRules.parse(settings.egress_no_proxy) if settings.egress_no_proxy else None,
        ca_bundle=settings.egress_ca_bundle,
    )


def _github(settings: Settings) -> CatalogForge:
    given = settings.catalog
    place = GitHubLocation(
        repository=given.repository or "",
        branch=given.branch,
        folder=given.repository_path,
        ownership=_mode(settings),
    )
    instance = assembly.github_instances(settings).instance(None)
    source = GitHubSource(instance, place, _calls(settings, "GitHub"))
    return CatalogForge(source, GitHubReporter(source, details=_details(settings)))


def _gitlab(settings: Settings) -> CatalogForge:
    given = settings.catalog
    place = GitLabLocation(
        project=given.repository or "",
        branch=given.branch,
        folder=given.repository_path,
        ownership=_mode(settings),
    )
    if given.gitlab_token is None:
        raise LookupError("no GitLab is configured; the operator sets GITLAB_TOKEN")
    instance = GitLabInstance(given.gitlab_url, given.gitlab_token)
    source = GitLabSource(instance, place, _calls(settings, "GitLab"))
    return CatalogForge(source, GitLabReporter(source, details=_details(settings)))


def _calls(settings: Settings, target: str) -> OutgoingCalls:
    return OutgoingCalls(HttpClient(wire_options(settings.actions)), target)


def _mode(settings: Settings) -> OwnershipMode:
    return OwnershipMode(settings.catalog.ownership)


def _details(settings: Settings) -> str | None:
    address = settings.web.public_url if settings.web.enabled else None
    return f"{address.rstrip('/')}{PLATFORM_PAGE}" if address else None
