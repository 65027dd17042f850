"""Asking a person for the fields of a form, one after the other, on the terminal."""

from functools import partial
from typing import Any

import typer
from rich.text import Text

from pao.app.cli.context import Cli
from pao.app.cli.fields import FormField, as_text, collect, typed
from pao.app.cli.terminal import clean


def ask_for_fields(cli: Cli, form: list[FormField], given: dict[str, Any]) -> dict[str, Any]:
    """Ask for every field that is shown and not given yet; an empty answer leaves it out.

    The questions are written on standard error. Passwords are not shown and asked for twice.
    """
    return collect(form, given, partial(_ask, cli))


def _ask(cli: Cli, field: FormField) -> Any:
    _explain(cli, field)
    while True:
        if field.type == "boolean":
            return _ask_boolean(field)
        text = _ask_text(field)
        if not text:
            if field.required and field.default is None:
                cli.note("This field is required.")
                continue
            return None
        try:
            return typed(field, _by_number(field, text))
        except ValueError as error:
            cli.note(str(error))


def _explain(cli: Cli, field: FormField) -> None:
    if field.description:
        cli.err.print(Text(clean(field.description), style="bright_black"))
    for number, (value, label) in enumerate(field.choices, start=1):
        same = str(value) == label
        shown = clean(value) if same else f"{clean(value)}  {clean(label)}"
        cli.err.print(Text(f"  {number}  ", style="cyan").append(shown, style="default"))


def _ask_text(field: FormField) -> str:
    is_secret = field.type == "password"
    answer = typer.prompt(
        _question(field),
        default="",
        show_default=False,
        hide_input=is_secret,
        confirmation_prompt=is_secret,
        err=True,
    )
    return str(answer)


def _ask_boolean(field: FormField) -> bool:
    return typer.confirm(clean(field.label), default=field.default is True, err=True)


def _question(field: FormField) -> str:
    notes = []
    if field.default is not None:
        notes.append(f"default {clean(as_text(field.default))}")
    elif not field.required:
        notes.append("optional")
    if field.type == "multiselect":
        notes.append("several with commas")
    if field.type == "file":
        notes.append("path of a file")
    if field.placeholder and field.default is None:
        notes.append(f"e.g. {clean(field.placeholder)}")
    return clean(field.label) + (f" ({', '.join(notes)})" if notes else "")


def _by_number(field: FormField, text: str) -> str:
    """Accept a choice by its number; a value equal to that number takes precedence."""
    written = {str(value) for value, _ in field.choices}
    picked = []
    for part in text.split(","):
        word = part.strip()
        is_number = word.isdecimal() and word not in written
        known = is_number and 1 <= int(word) <= len(field.choices)
        picked.append(str(field.choices[int(word) - 1][0]) if known else word)
    return ",".join(picked) if field.choices else text
