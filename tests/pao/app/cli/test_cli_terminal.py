from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pao.app.cli.scripted import (
    REQUEST,
    REQUEST_ID,
    Service,
    answered,
    failed_request,
    request,
)
from tests.pao.app.cli.terminals import Terminal


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
        "Further parts (": "",
    }
    for question, answer in answers.items():
        terminal.wait_for(question)
        terminal.type(answer)
    assert terminal.ends_with() == 0, terminal.seen
    assert "Now edit it" in terminal.seen
    text = (tmp_path / "queues" / "queue-message-standard.yaml").read_text()
    assert f"    {about}\n" in text
    assert "owner: {team: team-queues}" in text


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


@pytest.mark.parametrize(
    ("instructions", "shown", "wraps"),
    [
        ("hand " * 40 + "end", {"hand", "end"}, True),
        ("Run this:\n" + "x" * 90, {"Run", "this:", "x" * 90}, False),
    ],
)
def test_what_is_to_be_cleaned_up_wraps_at_words_and_commands_stay_whole(
    on_terminal: Callable[..., Terminal],
    service: Service,
    instructions: str,
    shown: set[str],
    *,
    wraps: bool,
) -> None:
    document = failed_request()
    document["errorContext"]["cleanup"] = [{"action": "host", "instructions": instructions}]
    service.on("GET", REQUEST, document)

    terminal = on_terminal("request", "get", REQUEST_ID, NO_COLOR="1")
    assert terminal.ends_with() == 0

    part = terminal.screen.partition("clean up by hand")[2].partition("Suggested")[0]
    assert set(part.split()) == {"host", *shown}
    assert (max(map(len, part.splitlines())) <= 80) == wraps
