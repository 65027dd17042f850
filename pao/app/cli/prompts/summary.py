"""Prints the summary of all answers before they are submitted, and finds one to edit."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from catalog.forms import FieldDefinition, GroupDefinition
from pao.app.cli.prompts.answers import Answers
from pao.app.cli.prompts.display import display_value
from pao.app.cli.terminal import clean


def print_summary(console: Console, answers: Answers) -> None:
    """Print the fields that are shown with their values, numbered, secrets masked."""
    values, group = answers.effective_values(), None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", style="cyan", no_wrap=True)
    table.add_column(max_width=32, overflow="fold")
    table.add_column(overflow="fold")
    for number, field in enumerate(_fields(answers), start=1):
        title = clean(group_of(answers, field.id).label)
        if title != group and len(answers.form.definition.groups) > 1:
            group = title
            table.add_row("", Text(title, style="bold"), "")
        table.add_row(str(number), clean(field.label), _value(answers, field, values.get(field.id)))
    console.print(Text("\nYour answers", style="bold"))
    console.print(table)


def _value(answers: Answers, field: FieldDefinition, value: Any) -> Text:
    if value is None:
        return Text("not given", style="bright_black")
    text = Text(display_value(field, value))
    if answers.get(field.id) is None:
        text.append("  (default)", style="bright_black")
    return text


def find_field(answers: Answers, text: str) -> FieldDefinition | None:
    """Return the field that is meant by its number in the summary, its id or its label."""
    fields = list(_fields(answers))
    word = text.strip().casefold()
    if word.isdecimal() and 1 <= int(word[:9]) <= len(fields):
        return fields[int(word[:9]) - 1]
    exact = [one for one in fields if word in (one.id.casefold(), one.label.casefold())]
    prefixed = [one for one in fields if word and one.label.casefold().startswith(word)]
    return next(iter(exact), prefixed[0] if len(prefixed) == 1 else None)


def group_of(answers: Answers, name: str) -> GroupDefinition:
    """Return the group of a field."""
    groups = answers.form.definition.groups
    return next(group for group in groups if any(one.id == name for one in group.fields))


def _fields(answers: Answers) -> Iterator[FieldDefinition]:
    return (answers.field(name) for name in answers.visible)
