"""Lists as a terminal, a pipe and a script get them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from tests.pao.app.cli.scripted import Pao, Service, page, refused, request
from tests.pao.app.cli.terminals import Terminal

FAILED = "7b0c2f6e-3d5a-4a53-9d0a-0f6e5b7d1c11"
RETRYING = "1f00aa42-3d5a-4a53-9d0a-0f6e5b7d1c11"
TITLE = "orders-db für das Bestellwesen der Region Süd, mit täglicher Sicherung und Alarm"
WIDE = "注文データベース 注文データベース 注文データベース 注文データベース cafe\u0301"

OnTerminal = Callable[..., Terminal]


def row(ident: str, status: str, **more: Any) -> dict[str, Any]:
    user = {"id": "dev", "email": "anna.maria.schneider@example.com"}
    return request(status) | {"id": ident, "user": user, "title": TITLE} | more


ROWS = [row(FAILED, "failed"), row(RETRYING, "failed", retrying=True, title=WIDE)]


def listed(service: Service, *rows: dict[str, Any]) -> None:
    service.on("GET", "/requests", {"data": list(rows), "pagination": {"hasMore": False}})


@pytest.mark.parametrize(
    ("columns", "headers"),
    [
        (40, ["ID", "STATE", "TITLE"]),
        (60, ["ID", "STATE", "TITLE"]),
        (80, ["ID", "STATE", "TITLE"]),
        (90, ["ID", "STATE", "TITLE", "ITEM"]),
        (120, ["ID", "STATE", "TITLE", "ITEM", "CREATED"]),
        (150, ["ID", "STATE", "TITLE", "ITEM", "CREATED", "BY"]),
    ],
)
def test_a_list_fits_the_terminal_and_keeps_ids_and_states_whole(
    on_terminal: OnTerminal, service: Service, columns: int, headers: list[str]
) -> None:
    listed(service, *ROWS)

    terminal = on_terminal("request", "list", columns=columns, NO_COLOR="1")

    assert terminal.ends_with() == 0
    head, failed, retrying = terminal.lines
    assert head.split() == headers
    assert failed.startswith("7b0c2f6e  ✗ failed ")
    assert retrying.startswith("1f00aa42  ✗ failed (retrying)  注文")
    assert "…" in failed
    assert "…" in retrying
    assert max(map(cell_len, terminal.lines)) <= columns


def test_short_ids_are_as_long_as_it_takes_to_tell_them_apart(
    on_terminal: OnTerminal, service: Service
) -> None:
    twin = f"{FAILED[:10]}ff{FAILED[12:]}"
    listed(service, *ROWS, row(twin, "completed"))

    terminal = on_terminal("request", "list", NO_COLOR="1")

    assert terminal.ends_with() == 0
    ids = [line.split("  ")[0] for line in terminal.lines[1:]]
    assert ids == [FAILED[:11], RETRYING[:11], twin[:11]]


def test_a_title_that_fits_is_whole(on_terminal: OnTerminal, service: Service) -> None:
    listed(service, row(FAILED, "completed", title="orders-db"))

    terminal = on_terminal("request", "list", columns=80, NO_COLOR="1")

    assert terminal.ends_with() == 0
    assert "  orders-db  database-postgresql-standard" in terminal.lines[1]


@pytest.mark.parametrize("options", [(), ("-o", "wide")])
def test_off_a_terminal_nothing_is_shortened(
    pao: Pao, service: Service, options: tuple[str, ...]
) -> None:
    listed(service, *ROWS)

    result = pao("request", "list", *options, COLUMNS="40", TZ="UTC")

    head, failed, retrying = result.stdout.splitlines()
    assert head.split()[:6] == ["ID", "STATE", "TITLE", "ITEM", "CREATED", "BY"]
    for part in (FAILED, TITLE, "2026-03-01 10:00:00", "anna.maria.schneider@example.com"):
        assert part in failed
    assert f"{RETRYING}  ✗ failed (retrying)  {WIDE}" in retrying
    assert ("CORRELATION ID" in head) is bool(options)


def test_wide_output_is_not_cut_on_a_terminal(on_terminal: OnTerminal, service: Service) -> None:
    listed(service, *ROWS)

    terminal = on_terminal("request", "list", "-o", "wide", columns=60, NO_COLOR="1")

    assert terminal.ends_with() == 0
    assert TITLE in terminal.seen
    assert FAILED in terminal.seen


def test_ids_alone_are_written_for_scripts(pao: Pao, service: Service) -> None:
    listed(service, *ROWS)
    assert pao("request", "list", "-o", "id").stdout == f"{FAILED}\n{RETRYING}\n"

    item = {"id": "db", "version": "1.0.0", "owner": {"team": "dba"}, "name": "Database"}
    service.on("GET", "/catalog", {"data": [item], "pagination": {"hasMore": False}})
    assert pao("catalog", "list", "-o", "id").stdout == "db\n"

    service.on("GET", f"/requests/{FAILED}", ROWS[0])
    assert pao("request", "get", FAILED, "-o", "id").stdout == f"{FAILED}\n"


def test_what_has_no_id_says_so(pao: Pao, service: Service) -> None:
    service.on("GET", "/health", {"status": "ok", "version": "1", "components": {}})

    result = pao("health", "-o", "id")

    assert (result.stdout, result.stderr) == ("", "Nothing here has an id.\n")


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        (".data[].id", f"{FAILED}\n{RETRYING}\n"),
        ('[.data[] | select(.retrying) | .title[0:2]] | join(",")', "注文\n"),
        (".data | length", "2\n"),
        (".data[0] | {id, retrying}", f'{{"id":"{FAILED}","retrying":false}}\n'),
        ('.data[] | select(.status == "completed")', ""),
    ],
)
def test_jq_filters_the_document(pao: Pao, service: Service, expression: str, written: str) -> None:
    listed(service, *ROWS)

    result = pao("request", "list", "--jq", expression)

    assert (result.exit_code, result.stdout) == (0, written)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--jq", ".data["), "--jq '.data[' is not a jq expression"),
        (("--jq", ".id", "-o", "yaml"), "--jq and --output yaml cannot be combined"),
    ],
)
def test_a_wrong_filter_is_refused_before_anything_happens(
    pao: Pao, service: Service, options: tuple[str, ...], told: str
) -> None:
    result = pao("request", "cancel", FAILED, "--reason", "no longer needed", *options)

    assert result.exit_code == 2
    assert told in result.stderr
    assert service.calls == []


def test_a_filter_that_does_not_fit_the_result_says_why(pao: Pao, service: Service) -> None:
    listed(service, *ROWS)

    result = pao("request", "list", "--jq", ".data.id")

    assert result.exit_code == 2
    assert 'Cannot index array with string ("id")' in result.stderr


def test_every_filter_of_the_api_is_an_option(pao: Pao, service: Service) -> None:
    listed(service)
    options = {
        "--status": "failed,completed",
        "--item": "db",
        "--cause": "target-down,access",
        "--tag": "production",
        "--search": "orders db",
        "--since": "2026-03-01",
        "--until": "2026-03-02T00:00:00Z",
        "--user": "ada",
        "--team": "orders",
        "--ticket": "NET-2",
        "--correlation-id": "11111111-2222-4333-8444-555555555555",
        "--parent": FAILED,
        "--sort": "waiting",
    }

    result = pao(
        "request", "list", "--decidable", *(part for one in options.items() for part in one)
    )

    assert result.exit_code == 0, result.stderr
    assert result.stderr == "No requests match.\n"
    [call] = service.calls_of("GET", "/requests")
    assert sorted(call.query) == sorted(
        [
            ("status", "failed"),
            ("status", "completed"),
            ("catalogItemId", "db"),
            ("cause", "target-down"),
            ("cause", "access"),
            ("tag", "production"),
            ("q", "orders db"),
            ("since", "2026-03-01T00:00:00.000Z"),
            ("until", "2026-03-02T00:00:00.000Z"),
            ("userId", "ada"),
            ("team", "orders"),
            ("externalReference", "NET-2"),
            ("correlationId", "11111111-2222-4333-8444-555555555555"),
            ("parent", FAILED),
            ("sort", "waiting"),
            ("decidable", "me"),
            ("limit", "50"),
            ("count", "true"),
        ]
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--status", "faild"), "--status 'faild' is not known; did you mean 'failed'?"),
        (("--cause", "target"), "--cause 'target' is not known"),
        (("--since", "soon"), "--since 'soon' is not a time"),
        (("--mine", "--user", "ada"), "--mine and --user cannot be combined"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    pao: Pao, service: Service, options: tuple[str, ...], told: str
) -> None:
    result = pao("request", "list", *options)

    assert result.exit_code == 2
    assert told in result.stderr
    assert service.calls == []


def test_long_texts_are_wrapped_within_their_column(
    on_terminal: OnTerminal, service: Service
) -> None:
    about = "The place that the state is kept in. " * 4
    state = {"id": 17, "place": about, "resources": 2, "shared": False, "released": None}
    service.on("GET", f"/requests/{FAILED}/terraform-states", {"data": [state]})

    terminal = on_terminal("terraform", "states", FAILED, columns=60, NO_COLOR="1")

    assert terminal.ends_with() == 0
    assert max(map(len, terminal.lines)) <= 60
    assert " ".join(" ".join(terminal.lines).split()).count("The place that the") == 4


def test_the_document_is_not_changed_by_the_terminal(pao: Pao, service: Service) -> None:
    listed(service, *ROWS)
    assert json.loads(pao("request", "list", "-o", "json").stdout)["data"] == ROWS


def test_what_waits_shows_since_when(pao: Pao, service: Service) -> None:
    listed(service, row(FAILED, "failed", waitingSince="2026-03-01T12:30:00.000Z"))
    for option in (("--decidable",), ("--sort", "waiting")):
        shown = pao("request", "list", *option, TZ="UTC").stdout
        assert "WAITING" in shown
        assert "2026-03-01 12:30:00" in shown


@pytest.mark.parametrize(
    ("count", "told"),
    [(7, "1 of 7 are shown; --limit 4"), (100, "1 of 100 or more are shown; --limit 4")],
)
def test_a_list_says_how_many_there_are(pao: Pao, service: Service, count: int, told: str) -> None:
    page = {"data": ROWS[:1], "pagination": {"hasMore": True, "nextCursor": "x"}, "count": count}
    service.on("GET", "/requests", page)

    assert told in pao("request", "list", "--limit", "1").stderr


def test_what_is_said_of_an_item_is_not_cut(on_terminal: OnTerminal, service: Service) -> None:
    name = "Access to a Restricted Repository of Another Team"
    item = {"id": "access-github-repository", "name": name, "requestable": False}
    service.on("GET", "/catalog", {"data": [item], "pagination": {"hasMore": False}})

    terminal = on_terminal("catalog", "list", columns=70, NO_COLOR="1")

    assert terminal.ends_with() == 0
    assert terminal.lines[1].endswith("…  not for your teams")
    assert len(terminal.lines[1]) <= 70


def test_a_bundle_fits_the_terminal_and_its_addresses_are_whole(
    on_terminal: OnTerminal, service: Service
) -> None:
    url = "https://jira.example.com/browse/PLATFORM-1"
    made = {"name": "Ask the database team", "status": "completed", "url": url}
    component: dict[str, Any] = {"id": "db", "name": "Database", "requestId": RETRYING}
    component |= {"status": "failed", "actions": [made | {"externalReference": "PLATFORM-1"}]}
    service.on("GET", f"/requests/{FAILED}", request("failed", components=[component]))

    terminal = on_terminal("request", "get", FAILED, columns=60, NO_COLOR="1")

    assert terminal.ends_with() == 0
    assert url in map(str.strip, terminal.lines)
    assert f"  └─ ✗ Database  failed  {RETRYING[:8]}" in terminal.lines
    assert f"pao request retry {RETRYING[:8]} --reason" in terminal.seen


def test_findings_are_filtered_as_well(pao: Pao, tmp_path: Path) -> None:
    document = tmp_path / "a.yaml"
    document.write_text("kind: CatalogItem\n")

    result = pao("catalog", "validate", str(document), "--jq", ".valid")

    assert (result.exit_code, result.stdout) == (1, "false\n")


def test_a_list_of_an_item_that_does_not_exist_says_so(pao: Pao, service: Service) -> None:
    said = "There is no catalog item 'netwrk'; did you mean 'network'?"
    service.on("GET", "/requests", page())
    service.on("GET", "/catalog/items/netwrk", refused(404, "CATALOG_ITEM_NOT_FOUND", said))

    result = pao("request", "list", "--item", "netwrk")

    assert result.exit_code == 0
    assert said in result.stderr
    assert "No requests match." in result.stderr
