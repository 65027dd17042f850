from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pao.app.cli.scripted import FORM, REQUEST, REQUEST_ID, Service, answered, request
from tests.pao.app.cli.terminals import Terminal


def test_fields_are_asked_for_by_the_form(
    on_terminal: Callable[..., Terminal], service: Service
) -> None:
    service.on("GET", "/catalog/items/db/schema", FORM)
    service.on("POST", "/requests", answered(request(), 201))

    terminal = on_terminal("request", "submit", "db", NO_COLOR="1")
    answers = {
        "Instance name: ": "orders-db",
        "Storage size (default 20): ": "big",
        "'big' is not a whole number": None,
        "ratio (optional): ": "",
        "Backups [y/N]: ": "y",
        "  2  3  Three": None,
        "size: ": "2",
        "zones (optional, several with commas): ": "1,c",
        "extra (optional): ": "",
        "certificate (optional, path of a file): ": "",
        "Admin password (optional): ": "Sup3rSecret",
        "Repeat for confirmation: ": "Sup3rSecret",
    }
    for question, answer in answers.items():
        terminal.wait_for(question)
        if question.startswith("'big'"):
            terminal.type("30")
        elif answer is not None:
            terminal.type(answer)

    assert terminal.ends_with() == 0, terminal.seen
    assert "Sup3rSecret" not in terminal.seen
    [call] = service.calls_of("POST", "/requests")
    assert call.body["fields"] == {
        "instanceName": "orders-db",
        "storageSize": 30,
        "backups": True,
        "size": 3,
        "zones": ["a", "c"],
        "adminPassword": "Sup3rSecret",
    }


def test_a_new_item_is_written_from_answers(
    on_terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = on_terminal("catalog", "init", "--catalog", str(tmp_path), NO_COLOR="1")
    about = "A queue on the shared cluster, with backups and an alert when it fills up."
    answers = {
        "Name: ": "Message Queue",
        "Category, the folder [databases]: ": "Queues!",
        "lowercase letters, digits and hyphens": "queues",
        "Id [queue-message-standard]: ": "",
        "Description, at least 50 characters: ": "A queue.",
        "8 characters; write 50 to 500": about,
        "Owning team [team-platform]: ": "team-queues",
        "Address of the team: ": "",
        "JIRA project of its tickets [PLATFORM]: ": "",
    }
    for question, answer in answers.items():
        terminal.wait_for(question)
        terminal.type(answer)
    assert terminal.ends_with() == 0, terminal.seen
    assert "Now edit it" in terminal.seen
    text = (tmp_path / "queues" / "queue-message-standard.yaml").read_text()
    assert f"    {about}\n" in text
    assert "owner: {team: team-queues}" in text


def test_a_field_of_an_unmet_condition_is_not_asked_for(
    on_terminal: Callable[..., Terminal], service: Service
) -> None:
    service.on("GET", "/catalog/items/db/schema", FORM)
    service.on("POST", "/requests", answered(request(), 201))

    terminal = on_terminal("request", "submit", "db", "-f", "instanceName=orders-db")
    terminal.wait_for("size: ")
    terminal.type("s")

    assert terminal.ends_with() == 0
    assert "Admin password" not in terminal.seen


def test_an_interrupted_question_ends_with_130(
    on_terminal: Callable[..., Terminal], service: Service
) -> None:
    service.on("GET", "/catalog/items/db/schema", FORM)

    terminal = on_terminal("request", "submit", "db")
    terminal.wait_for("Instance name: ")

    assert terminal.interrupted() == 130
    assert service.calls_of("POST", "/requests") == []


@pytest.mark.parametrize(
    ("arguments", "environ_extra", "coloured"),
    [((), {}, True), ((), {"NO_COLOR": "1"}, False), (("--no-color",), {}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    on_terminal: Callable[..., Terminal],
    service: Service,
    arguments: tuple[str, ...],
    environ_extra: dict[str, str],
    *,
    coloured: bool,
) -> None:
    service.on("GET", REQUEST, request())

    terminal = on_terminal("request", "get", REQUEST_ID, *arguments, **environ_extra)

    assert terminal.ends_with() == 0
    assert ("\x1b[32m" in terminal.seen) is coloured


def test_a_timeline_is_drawn_while_waiting(
    on_terminal: Callable[..., Terminal], service: Service
) -> None:
    service.on("GET", REQUEST, request("in_progress"), request())
    service.on("GET", f"{REQUEST}/events", answered({}))

    terminal = on_terminal("request", "status", REQUEST_ID, "--watch")

    assert terminal.ends_with() == 0
    assert terminal.seen.index("in_progress") < terminal.seen.index("✓ completed")
