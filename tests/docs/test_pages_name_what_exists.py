"""The pages name what the code has: settings, error codes, metrics, routes, commands, files."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from pydantic import AliasChoices
from pydantic_core import PydanticUndefined

from activities.metrics import WorkerMetrics
from activities.registry import load_all
from api.metrics import ApiMetrics
from api.routes.audit import router as audit
from api.routes.catalog import router as catalog
from api.routes.decisions import router as decisions
from api.routes.document_schemas import router as document_schemas
from api.routes.forms import router as forms
from api.routes.health import router as health
from api.routes.insights import router as insights
from api.routes.keys import router as keys
from api.routes.request_list import router as request_list
from api.routes.request_log import router as request_log
from api.routes.requests import router as requests
from api.routes.terraform import router as terraform
from api.routes.tools import router as tools
from api.routes.web_sessions import router as web_sessions
from api.routes.webhooks import router as webhooks
from db.models import Request
from pao.app.schedules import MAINTENANCE
from pao.core.errors import ErrorCode
from pao.core.states import ApprovalVote, Decision, RequestStatus
from pao.settings.loading import SECTIONS, secret_names
from pao.settings.sections import SettingsSection
from tests.support.pages import HISTORY, PAGES, ROOT, names, prose, rows, text

VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
PREFIXES = (
    *("API_", "CACHE_", "CATALOG_", "CORRELATION_", "DATABASE_", "DB_", "ESCALATION_", "GITHUB_"),
    *("JIRA_", "LOG_", "MAX_", "OTEL_", "PAO_", "RATE_", "REQUEST_", "TEMPLATE_", "TEMPORAL_"),
    *("GITLAB_", "TERRAFORM_", "TRACING_", "WORKER_"),
)
# Of the command line, of `pao up` and of tools around PAO; no setting of a process.
OTHER_VARIABLES = {
    *("PAO_ACCESS_KEY_ID", "PAO_CACHE", "PAO_HOME", "PAO_PROFILE", "PAO_SECRET_ACCESS_KEY"),
    *("PAO_BUILD_TIME", "PAO_ENVIRONMENT", "PAO_GIT_SHA", "PAO_URL"),
    *("GITHUB_SANDBOX_URL", "JIRA_CORP_TOKEN", "JIRA_SANDBOX_URL", "OTEL_EXPORTER_OTLP_HEADERS"),
    *("TEMPORAL_DATABASE_PASSWORD", "TEMPORAL_DATABASE_URL"),
    *("PAO_SECRET", "PAO_SECRET_DNS_TOKEN"),
}
EVENTS_OF = ("workflows", "activities", "api", "db", "pao/app/cli")
EVENT = re.compile(r"(?:\.line\(|_record\(|event_type=|event ?=)\s*\"([a-z_]+\.[a-z-]+)\"")
CALL = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (?:/api/v1)?(/(?!sandbox)[a-z][\w/{}-]*)")
PLACED = re.compile(r"`([A-Za-z_]+)`\s+(?:of\s+|in\s+|\()`([\w/]+\.(?:py|sql))`")
FILLED_IN = re.compile(r"{.*?}|\bID\b|\b[0-9a-f]{8}-[0-9a-f-]{27}\b")
ROUTERS = (
    audit,
    catalog,
    document_schemas,
    decisions,
    forms,
    health,
    insights,
    keys,
    request_list,
    request_log,
    requests,
    terraform,
    tools,
    web_sessions,
    webhooks,
)


def settings() -> dict[str, tuple[type[SettingsSection], str]]:
    """Return each variable with the part and the field that read it."""
    found = {}
    for part in SECTIONS.values():
        for name, info in part.model_fields.items():
            alias = info.validation_alias
            variable = str(alias.choices[0] if isinstance(alias, AliasChoices) else alias)
            found[variable] = (part, name)
    return found


def test_every_setting_is_described() -> None:
    described = {
        name for page in ("operations", "terraform", "identity") for name in all_names(page)
    }

    assert settings().keys() - described == set()


def test_what_a_page_calls_secret_is_what_the_settings_keep_secret() -> None:
    marked = {
        variable
        for page in ("operations", "terraform", "identity")
        for row in rows(ROOT / "docs" / f"{page}.md")
        for variable in re.findall(r"`([A-Z_]+)`", row.cells[0])
        if row.cells[-1].startswith("**secret**")
    }

    assert marked == set(secret_names())


def all_names(page: str) -> set[str]:
    return set(VARIABLE.findall(text(ROOT / "docs" / f"{page}.md")))


@pytest.mark.parametrize("page", sorted(set(PAGES) - HISTORY), ids=lambda page: page.name)
def test_a_variable_that_a_page_names_is_read(page: Path) -> None:
    known = {
        *settings(),
        *OTHER_VARIABLES,
        *ErrorCode,
        *(f"{name}_PATH" for name in settings()),
        *(f"{name}_FILE" for name in secret_names()),
        *re.findall(r"\$\{([A-Z_]+):-", text(ROOT / "docker-compose.yml")),
        *(name for name in VARIABLE.findall(code_of("pao/app/local")) if name.startswith("PAO_")),
    }
    named = {name for name in VARIABLE.findall(text(page)) if name.startswith(PREFIXES)}

    assert named - known == set()


def code_of(folder: str) -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / folder).rglob("*.py"))


def test_a_default_that_a_page_names_is_the_default() -> None:
    compared = 0
    for page in ("operations", "terraform", "identity"):
        for row in rows(ROOT / "docs" / f"{page}.md"):
            for variable, written in defaults(row.cells):
                part, field = settings()[variable]
                default = part.model_fields[field].get_default()
                if default in (None, PydanticUndefined):
                    continue
                given = part.read({variable: written})
                assert getattr(given, field) == default, f"{variable}: {written}"
                compared += 1
    assert compared > 40


def defaults(cells: list[str]) -> Iterator[tuple[str, str]]:
    """Yield variable and default of a row whose first two cells are lists of as many names."""
    if len(cells) < 2:
        return
    variables, written = (re.findall(r"`([^`]+)`", cell) for cell in cells[:2])
    if len(variables) == len(written) and re.fullmatch(r"`[^`]+`(, `[^`]+`)*", cells[1]):
        known = settings()
        yield from ((v, w) for v, w in zip(variables, written, strict=True) if v in known)


def test_every_error_code_is_described_with_its_status() -> None:
    page = ROOT / "docs" / "api.md"
    described = {name for row in rows(page) for name in re.findall(r"`([A-Z_]+)`", row.cells[0])}

    # Inside a request only: the call itself was answered with success.
    assert described | {"ACTION_FAILED"} == set(ErrorCode)


def metrics_of(registry: CollectorRegistry) -> set[str]:
    """Return the names of all metrics, as they are scraped."""
    return {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in registry.collect()
    }


def test_every_metric_is_described_and_no_other() -> None:
    page = ROOT / "docs" / "operations.md"
    known = metrics_of(ApiMetrics().registry) | metrics_of(WorkerMetrics().registry)
    described = {name for name in names(page) if re.fullmatch(r"pao_[a-z_]+", name)}
    known = {name for name in known if name.startswith("pao_")}

    assert described - {"pao_owner", "pao_service", "pao_catalog"} == known


def routes() -> set[str]:
    """Return method and path of every operation, with ``{}`` for what is filled in."""
    return {
        f"{method} {re.sub('{.*?}', '{}', route.path)}"
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def routes_of(page: Path) -> set[str]:
    """Return every call that the page names, with ``{}`` for what is filled in."""
    found = CALL.findall(text(page))
    return {f"{method} {FILLED_IN.sub('{}', path)}" for method, path in found}


@pytest.mark.parametrize("page", sorted(set(PAGES) - HISTORY), ids=lambda page: page.name)
def test_a_call_that_a_page_names_exists(page: Path) -> None:
    assert routes_of(page) - routes() == set()


@pytest.mark.parametrize("page", sorted(set(PAGES) - HISTORY), ids=lambda page: page.name)
def test_a_name_that_a_page_places_in_a_file_is_there(page: Path) -> None:
    placed = PLACED.findall(prose(page))

    assert [one for one in placed if not is_in_file(*one)] == []


def is_in_file(name: str, path: str) -> bool:
    """Return whether a file has the name; one without a folder may be anywhere."""
    files = [ROOT / path] if "/" in path else [*ROOT.glob(f"[!.]*/**/{path}")]
    word = re.compile(rf"\b{name}\b")
    return any(file.is_file() and word.search(text(file)) for file in files)


def test_every_call_is_described() -> None:
    # Health and its siblings are described by their paths alone.
    described = {call for page in PAGES for call in routes_of(page)}
    paths = {
        f"GET {path}" for page in PAGES for path in re.findall(r"`/api/v1(/[\w/]+)`", text(page))
    }

    assert routes() - described - paths == set()


def test_every_sample_and_every_action_type_is_described() -> None:
    page = text(ROOT / "docs" / "catalog.md")
    samples = {file.stem for file in (ROOT / "examples" / "catalog").glob("*/*.yaml")}

    assert {name for name in samples if f"[{name}](" not in page} == set()
    assert {name for name in load_all() if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("page", ["docs/architecture.md", "SECURITY.md"])
def test_every_table_is_described(page: str) -> None:
    said = text(ROOT / page)

    assert {name for name in Request.metadata.tables if f"`{name}`" not in said} == set()


def test_every_schedule_is_described() -> None:
    described = set(names(ROOT / "docs" / "operations.md"))

    assert {f"pao-{one.name}" for one in MAINTENANCE} <= described


def test_every_decision_and_vote_is_described() -> None:
    assert {*Decision, *ApprovalVote} <= set(names(ROOT / "docs" / "decisions.md"))


def test_every_event_of_the_audit_trail_is_described() -> None:
    known = {event for folder in EVENTS_OF for event in EVENT.findall(code_of(folder))}
    described = set(names(ROOT / "docs" / "operations.md"))

    assert len(known) > 15
    assert known | {f"request.{status}" for status in RequestStatus} <= described
