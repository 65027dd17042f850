"""`pao request submit` on a terminal: asked until it is right."""

import json
from pathlib import Path

from tests.pao.app.cli.questions import (
    BACKUPS,
    DAYS,
    NAME,
    SECRET,
    Start,
    field,
    refusal,
    sent,
)
from tests.pao.app.cli.scripted import Service


def test_every_answer_is_checked_at_once(asked: Start, service: Service) -> None:
    terminal = asked(
        NAME,
        field("mail", "email", required=True),
        field("size", "integer", default=20, validation={"min": 10, "step": 10}),
        field("begins", "date", validation={"min": "today"}),
        field("zones", "multiselect", enum=["a", "b", "c"], validation={"maxItems": 2}),
        field("extra", "json", validation={"schema": {"type": "object"}}),
    )
    wrong = {
        "Host": [("or", "at least 3"), ("Orders", "must match"), ("orders", "")],
        "Mail": [("", "is required"), ("me", "name@example.com"), ("me@example.com", "")],
        "Size": [("big", "'big' is not a whole number"), ("15", "multiple of 10"), ("1 000", "")],
        "Begins": [("2020-01-01", "on or after"), ("", "")],
        "Zones": [("1,d", "no choice 'd'"), ("a,b,c", "at most 2"), ("1,c", "")],
        "Extra": [('{"a" 1}\n', "line 1, column 6"), ("[1]", "does not match"), ('{"a":\n1}', "")],
    }
    for question, attempts in wrong.items():
        terminal.next(question)
        for text, complaint in attempts:
            terminal.answer("", text)
            terminal.next(complaint)
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {
        "host": "orders",
        "mail": "me@example.com",
        "size": 1000,
        "zones": ["a", "c"],
        "extra": {"a": 1},
    }


def test_titles_limits_and_formats_are_told(asked: Start) -> None:
    terminal = asked(
        NAME,
        field("begins", "date", default="today+7d", validation={"max": "2999-01-01"}),
        field("strong", "password", validation={"strength": "medium"}),
    )
    terminal.answer("Host", "orders")
    terminal.answer("Begins", "")
    terminal.next("Strong")
    terminal.next("> ")
    for text in (
        "Database  1.2.0\nA small one.",
        "── Basics ──",
        "  What it is.",
        "  3 to 9 characters, like ^[a-z]+$; e.g. orders",
        "  a date such as 2026-03-01; up to 2999-01-01",
        "Strong  (optional)\n  at least 8 characters and 2 of lower case",
    ):
        assert text in terminal.screen
    assert max(map(len, terminal.screen.splitlines())) <= 80


def test_passwords_are_not_shown_and_asked_for_twice(asked: Start, service: Service) -> None:
    terminal = asked(field("secret", "password", required=True, validation={"minLength": 8}))
    terminal.answer("Secret", "short")
    terminal.answer("at least 8", SECRET)
    terminal.answer("again", "other")
    terminal.answer("differ", SECRET)
    terminal.answer("again", SECRET)
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert "********" in terminal.seen
    assert SECRET not in terminal.seen
    assert sent(service) == {"secret": SECRET}


def test_long_lists_are_searched(asked: Start, service: Service) -> None:
    countries = [{"value": n, "label": f"Land {n:03}"} for n in range(998)]
    countries += [{"value": "at", "label": "Austria"}, {"value": "au", "label": "Australia"}]
    terminal = asked(field("country", "select", required=True, enum=countries))
    terminal.next("990 more: type a part of one to search")
    assert "Land 010" not in terminal.seen
    terminal.answer("", "aus")
    terminal.answer("fits 2 of them", "austra")
    terminal.next("= Australia")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"country": "au"}


def test_a_number_in_the_list_never_hides_a_value(asked: Start, service: Service) -> None:
    terminal = asked(
        field("nodes", "select", required=True, enum=[3, 1, 5]),
        field("version", "select", required=True, enum=["18", "17"]),
    )
    terminal.answer("Nodes", "1")
    terminal.answer("Version", "2")
    terminal.next("= 17")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"nodes": 1, "version": "17"}


def test_a_text_of_several_lines_ends_with_a_dot(asked: Start, service: Service) -> None:
    terminal = asked(field("reason", "textarea", required=True))
    terminal.answer("Reason", "first")
    for shown, line in (("first", ""), ("", "third"), ("third", ".")):
        terminal.next(f"{shown}\r\n    ")
        terminal.type(line)
    terminal.next("first … (3 lines)")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"reason": "first\n\nthird"}


def test_long_answers_come_from_a_file_or_an_editor(
    asked: Start, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("from a file\n")
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "{\\"edited\\": true}" > "$1"\n')
    editor.chmod(0o755)
    terminal = asked(field("reason", "textarea"), field("extra", "json"), EDITOR=str(editor))
    terminal.answer("Reason", "@nothing.txt")
    terminal.answer("cannot be read", "@notes.txt")
    terminal.answer("Extra", "!")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"reason": "from a file", "extra": {"edited": True}}


def test_a_file_is_checked_and_keeps_its_name(
    asked: Start, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "big.txt").write_text("x" * 2000)
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    (tmp_path / "a.txt").write_text("x")
    terminal = asked(field("cert", "file", validation={"maxSize": "1KB", "types": ["text/*"]}))
    terminal.answer("at most 1KB, only text/*", "missing.txt")
    terminal.answer("cannot be read", "big.txt")
    terminal.answer("at most 1KB in size", "a.png")
    terminal.answer("of type text/*", "a.txt")
    terminal.next("a.txt, text/plain, 1 bytes")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"cert": "data:text/plain;name=a.txt;base64,eA=="}


def test_hidden_fields_are_never_asked_for(asked: Start, service: Service) -> None:
    terminal = asked(DAYS, BACKUPS, NAME)
    terminal.answer("Backups", "n")
    terminal.answer("Host", "orders")
    terminal.next("Your answers")
    assert "Days" not in terminal.seen

    terminal.answer("Submit?", "e backups", "yes")
    terminal.answer("Days", "7")
    terminal.answer("Submit?", "e")
    terminal.answer("number or name", "2", "no")
    terminal.next("Days does not apply with these answers")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"host": "orders", "backups": False}


def test_an_answer_can_be_taken_back(asked: Start, service: Service) -> None:
    terminal = asked(
        field("note", "string"),
        field("size", "integer", default=20),
        field("zones", "multiselect", enum=["a", "b"], default=["a"]),
    )
    terminal.answer("Note", "x")
    terminal.answer("Size", "30")
    terminal.answer("Zones", '""')
    for name, way in (("note", "removes it"), ("size", "restores the default")):
        terminal.answer("Submit?", name)
        terminal.answer(way, '""')
    terminal.next("not given")
    terminal.next("20  (default)")
    terminal.answer("Submit?", "nonsense")
    terminal.next("no field 'nonsense'")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"zones": []}


def test_the_last_attempt_can_be_edited(asked: Start, service: Service) -> None:
    terminal = asked(NAME)
    terminal.answer("Host", "order5")
    terminal.next("must match")
    terminal.next("> ")
    terminal.press(b"\x1b[A\x7fs\n")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"host": "orders"}


def test_given_fields_are_asked_for_only_where_they_are_wrong(
    asked: Start, service: Service
) -> None:
    terminal = asked(
        NAME, field("mail", "email", required=True), field("note", "string"), BACKUPS,
        given=("-f", "host=Orders", "-f", "mail=me@example.com"),
    )  # fmt: skip
    terminal.answer("must match", "orders")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert "[Orders]" in terminal.seen
    assert "Mail\n" not in terminal.screen
    assert "Note  (optional)" not in terminal.screen
    assert sent(service) == {"host": "orders", "mail": "me@example.com"}


def test_a_given_text_that_cannot_be_read_is_asked_for_again(
    asked: Start, service: Service
) -> None:
    terminal = asked(
        NAME, field("size", "integer"), field("extra", "json"),
        given=("-f", "host=orders", "-f", "size=big", "-f", "extra={"),
    )  # fmt: skip
    terminal.answer("Size: 'big' is not a whole number", "20")
    terminal.answer("Expecting property name", "{}")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert sent(service) == {"host": "orders", "size": 20, "extra": {}}


def test_a_complete_command_line_is_submitted_without_a_question(
    asked: Start, service: Service
) -> None:
    terminal = asked(NAME, BACKUPS, given=("-f", "host=orders"))

    assert terminal.ends_with() == 0, terminal.seen
    assert "Submit?" not in terminal.seen
    assert sent(service) == {"host": "orders"}


def test_a_given_field_that_is_hidden_is_left_out_and_named(asked: Start, service: Service) -> None:
    terminal = asked(NAME, BACKUPS, DAYS, given=("-f", "host=orders", "-f", "days=7"))

    assert terminal.ends_with() == 0, terminal.seen
    assert "Days does not apply with these answers" in terminal.screen
    assert sent(service) == {"host": "orders"}


def test_a_field_that_does_not_exist_is_said_before_any_question(asked: Start) -> None:
    terminal = asked(NAME, given=("-f", "hots=orders"))

    assert terminal.ends_with() == 2
    assert "hots: there is no field 'hots'; did you mean 'host'?" in terminal.screen
    assert "> " not in terminal.seen


def test_a_dumb_terminal_is_enough(asked: Start, service: Service) -> None:
    terminal = asked(NAME, field("secret", "password"), TERM="dumb")
    terminal.answer("Host", "Orders", "orders")
    terminal.answer("Secret", SECRET)
    terminal.answer("again", SECRET)
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert "\x1b" not in terminal.seen
    assert SECRET not in terminal.seen
    assert sent(service) == {"host": "orders", "secret": SECRET}


def test_questions_never_mix_with_the_result(
    on_terminal: Start, asked: Start, tmp_path: Path
) -> None:
    asked(NAME, given=("--help",)).ends_with()
    result = tmp_path / "result"
    terminal = on_terminal("request", "submit", "db", "-o", "json", output=str(result))
    terminal.answer("Host", "orders")
    terminal.answer("Submit?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert json.loads(result.read_text())["status"] == "completed"


def test_a_dry_run_asks_as_well(asked: Start, service: Service) -> None:
    plan = {"valid": True, "actions": [], "warnings": []}
    service.on("POST", "/validate/request", refusal("fields.host"), plan)
    terminal = asked(NAME, given=("--dry-run",))
    terminal.answer("Host", "orders")
    terminal.answer("Check?", "")
    terminal.answer("is taken", "billing")
    terminal.answer("Check?", "")

    assert terminal.ends_with() == 0, terminal.seen
    assert "nothing was submitted" in terminal.screen
    assert service.calls_of("POST", "/requests") == []
