"""Questions that are refused or left: nothing that was typed is lost."""

from pathlib import Path
from typing import Any

import pytest

from tests.pao.app.cli.questions import BACKUPS, NAME, SECRET, Start, field, kept, refusal, sent
from tests.pao.app.cli.scripted import Service, answered, cut_off, refused, request


def test_what_the_service_refuses_is_asked_for_again(asked: Start, service: Service) -> None:
    service.on("POST", "/requests", refusal("fields.host"), answered(request(), 201))
    terminal = asked(NAME, field("note", "string"))
    terminal.answer("Host", "orders")
    terminal.answer("Note", "mine")
    terminal.answer("Submit?", "")
    terminal.answer("fields.host is taken", "billing")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert "[orders]" in terminal.seen
    assert terminal.screen.count("Note  (optional)") == 1
    assert sent(service) == {"host": "billing", "note": "mine"}


def test_leaving_keeps_the_answers_as_a_file_that_goes_on(
    asked: Start, service: Service, tmp_path: Path
) -> None:
    fields = (NAME, field("secret", "password", required=True), field("note", "string"), BACKUPS)
    terminal = asked(*fields, given=("--tag", "my team"))
    terminal.answer("Host", "orders")
    terminal.answer("Secret", SECRET)
    terminal.answer("again", SECRET)
    terminal.next("Note")
    terminal.next("> ")
    terminal.interrupt("Save your answers")
    terminal.answer("Save your answers", "")

    assert terminal.ends_with() == 130, terminal.seen
    assert "only you can read it" in terminal.screen
    assert "because it is secret: Secret" in terminal.screen
    assert "pao request submit db --config db.json --tag 'my team'" in terminal.screen
    assert kept(tmp_path) == {
        "catalogItemId": "db",
        "fields": {"host": "orders"},
        "unanswered": ["secret", "note", "backups"],
    }

    terminal = asked(*fields, given=("--config", "db.json"))
    terminal.answer("Secret", SECRET)
    terminal.answer("again", SECRET)
    terminal.answer("Note", "mine")
    terminal.answer("Backups", "")
    terminal.answer("Submit?", "")
    assert terminal.ends_with() == 0, terminal.seen
    assert "Host\n" not in terminal.screen
    assert sent(service) == {"host": "orders", "secret": SECRET, "note": "mine", "backups": False}


def test_what_was_refused_or_half_typed_is_kept_too(asked: Start, tmp_path: Path) -> None:
    reason = field("reason", "textarea", required=True)
    terminal = asked(reason)
    terminal.answer("Reason", "one")
    # Each line is typed at its prompt, and was taken when the next prompt is there.
    terminal.next("one\r\n    ")
    terminal.type("two")
    terminal.next("two\r\n    ")
    terminal.interrupt("Save your answers")
    terminal.answer("Save your answers", "half.json")
    assert terminal.ends_with() == 130
    assert kept(tmp_path, "half.json")["fields"] == {"reason": "one\ntwo"}

    terminal = asked(NAME)
    terminal.answer("Host", "Orders")
    terminal.next("must match")
    terminal.next("> ")
    terminal.interrupt("Save your answers")
    terminal.answer("Save your answers", "")
    assert terminal.ends_with() == 130
    assert kept(tmp_path) == {
        "catalogItemId": "db",
        "fields": {"host": "Orders"},
        "unanswered": ["host"],
    }


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_a_line_that_was_not_entered_is_kept_too(asked: Start, tmp_path: Path, term: str) -> None:
    terminal = asked(NAME, field("reason", "textarea"), TERM=term)
    terminal.next("Host")
    terminal.next("> ")
    terminal.press("bücher-or".encode())
    terminal.next("or")
    terminal.interrupt("Save your answers")
    terminal.answer("Save your answers", "")
    assert terminal.ends_with() == 130, terminal.seen
    assert kept(tmp_path) == {
        "catalogItemId": "db",
        "fields": {"host": "bücher-or"},
        "unanswered": ["host", "reason"],
    }

    terminal = asked(field("reason", "textarea"), TERM=term)
    terminal.answer("Reason", "one")
    terminal.next("one\r\n    ")
    terminal.press(b"tw")
    terminal.next("tw")
    terminal.interrupt("Save your answers")
    terminal.answer("Save your answers", "two.json")
    assert terminal.ends_with() == 130, terminal.seen
    assert kept(tmp_path, "two.json")["fields"] == {"reason": "one\ntw"}


def test_a_secret_that_was_not_entered_is_kept_nowhere(asked: Start, tmp_path: Path) -> None:
    terminal = asked(NAME, field("secret", "password", required=True))
    terminal.answer("Host", "orders")
    terminal.next("Secret")
    terminal.next("> ")
    terminal.press(SECRET.encode())
    terminal.interrupt("Save your answers")
    terminal.answer("Save your answers", "")
    assert terminal.ends_with() == 130, terminal.seen
    assert kept(tmp_path)["fields"] == {"host": "orders"}
    assert SECRET not in terminal.seen


@pytest.mark.parametrize(
    ("answer", "files"), [("", {"db.json", "db-2.json"}), ("n", {"db.json"}), ("db.json", None)]
)
def test_an_existing_file_is_never_overwritten(
    asked: Start, tmp_path: Path, answer: str, files: set[str] | None
) -> None:
    (tmp_path / "db.json").write_text("mine")
    terminal = asked(NAME, BACKUPS)
    terminal.answer("Host", "orders")
    terminal.next("Backups")
    terminal.next("> ")
    terminal.press(b"\x04")
    terminal.answer("[db-2.json]", answer)
    if files is None:
        terminal.next("db.json cannot be written: File exists")
        terminal.answer("Save your answers", "n")

    assert terminal.ends_with() == 130, terminal.seen
    assert (tmp_path / "db.json").read_text() == "mine"
    assert {file.name for file in tmp_path.glob("*.json")} == (files or {"db.json"})


@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_nothing_is_kept_where_nothing_was_typed(asked: Start, tmp_path: Path, term: str) -> None:
    terminal = asked(NAME, TERM=term)
    terminal.next("Host")
    terminal.next("> ")
    terminal.press(b"\x04")

    assert terminal.ends_with() == 130
    assert "Save" not in terminal.seen
    assert not list(tmp_path.glob("*.json"))


def test_a_closed_window_keeps_the_answers_unasked(asked: Start, tmp_path: Path) -> None:
    terminal = asked(NAME, BACKUPS)
    terminal.answer("Host", "orders")
    terminal.next("Backups")
    terminal.next("> ")

    assert terminal.hang_up() != 0
    assert kept(tmp_path)["fields"] == {"host": "orders"}


def test_saying_no_submits_nothing(asked: Start, service: Service, tmp_path: Path) -> None:
    terminal = asked(NAME)
    terminal.answer("Host", "orders")
    terminal.answer("Submit?", "n")
    terminal.answer("Save your answers", "n")

    assert terminal.ends_with() == 130
    assert "Nothing was sent." in terminal.screen
    assert service.calls_of("POST", "/requests") == []
    assert not list(tmp_path.glob("*.json"))


def test_a_service_that_is_away_is_tried_again(asked: Start, service: Service) -> None:
    away = refused(503, "SERVICE_UNAVAILABLE", "Temporal is away")
    service.on("POST", "/requests", away, answered(request(), 201))
    terminal = asked(NAME)
    terminal.answer("Host", "orders")
    terminal.answer("Submit?", "")
    terminal.answer("Try again?", "")

    assert terminal.ends_with() == 0, terminal.seen
    first, second = service.calls_of("POST", "/requests")
    assert first.body == second.body


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused(401, "UNAUTHORIZED", "The key was revoked"), 3),
        (refused(503, "SERVICE_UNAVAILABLE", "Temporal is away"), 5),
        (cut_off, 5),
    ],
)
def test_what_was_typed_outlives_a_service_that_refuses_it(
    asked: Start, service: Service, tmp_path: Path, answer: Any, code: int
) -> None:
    service.on("POST", "/requests", answer)
    terminal = asked(NAME)
    terminal.answer("Host", "orders")
    terminal.answer("Submit?", "")
    if code == 5:
        terminal.answer("Try again?", "n")
    terminal.answer("Save your answers", "")

    assert terminal.ends_with() == code, terminal.seen
    assert kept(tmp_path)["fields"] == {"host": "orders"}
    assert len(list(tmp_path.glob("*.json"))) == 1
    # Where it may have taken effect, the command goes on under the same key.
    is_doubtful = code == 5
    assert ("--config db.json --idempotency-key" in terminal.screen) is is_doubtful
    keys = {call.headers["idempotency-key"] for call in service.calls_of("POST", "/requests")}
    assert len(keys) == 1
