"""Prints the choices of a field, and finds the ones that a person means."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from catalog.forms import FieldDefinition, FieldType
from catalog.forms.definition import Choice
from catalog.forms.reading import read
from catalog.forms.values import canonical
from catalog.forms.writing import as_text
from catalog.suggestions import did_you_mean
from pao.app.cli.terminal import clean

ALL = "?"
# A longer list is not printed but searched.
_MAX_LISTED = 20
_PREVIEW = 10


class ChoiceError(ValueError):
    """A text that matches none of the choices, or several: ``matches``."""

    def __init__(self, message: str, matches: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.matches = tuple(matches)


def print_choices(console: Console, field: FieldDefinition, *, everything: bool = False) -> None:
    """Print the choices, or the first of a long list and how to search it."""
    choices = field.choices or ()
    short = everything or len(choices) <= _MAX_LISTED
    print_selected(console, field, range(len(choices)) if short else range(_PREVIEW))
    if not short:
        rest = len(choices) - _PREVIEW
        hint = f"{rest} more: type a part of one to search, {ALL} to list all"
        console.print(Text(f"  … {hint}", style="bright_black"))


def print_selected(console: Console, field: FieldDefinition, indexes: Sequence[int]) -> None:
    """Print the choices at these indexes, with the numbers by which they can be picked."""
    choices = field.choices or ()
    numbered = _are_numbered(choices)
    room = len(str(len(choices)))
    for index in indexes:
        choice = choices[index]
        value, label = clean(as_text(choice.value)), clean(choice.label)
        mark = f"{index + 1:>{room}}" if numbered else "-"
        line = Text(f"  {mark}  ", style="cyan").append(label, style="default")
        if value.casefold() not in label.casefold():
            line.append(f"  {value}", style="bright_black")
        console.print(line)


def completions(field: FieldDefinition) -> list[str]:
    """Return what the tab key completes."""
    return [clean(choice.label) for choice in field.choices or ()]


def pick(field: FieldDefinition, text: str) -> Any:
    """Return the value that is meant, a list in a multiselect; raises ``ChoiceError``.

    A choice is given by its value, its label, its number in the list, or a part of its label.
    """
    if field.type is not FieldType.MULTISELECT:
        return _pick_one(field, text.strip())
    whole = read(field, text)
    if isinstance(whole, list) and whole and all(_is_choice(field, one) for one in whole):
        return whole
    return [_pick_one(field, part.strip()) for part in text.split(",") if part.strip()]


def _pick_one(field: FieldDefinition, text: str) -> Any:
    choices = field.choices or ()
    single_choice = field.model_copy(update={"type": FieldType.SELECT})
    value = read(single_choice, text)
    if _is_choice(field, value):
        return value
    if _are_numbered(choices) and text.isdecimal() and 1 <= int(text[:9]) <= len(choices):
        return choices[int(text[:9]) - 1].value
    # A part of a number is not searched for: 1 would find 2021.
    matches = [] if text.isdecimal() else _find_matches(choices, text.casefold())
    if len(matches) == 1:
        return choices[matches[0]].value
    if matches:
        raise ChoiceError(f"{text!r} fits {len(matches)} of them; be more precise", matches)
    known = [] if text.isdecimal() else [choice.label for choice in choices]
    raise ChoiceError(f"there is no choice {text[:80]!r}{did_you_mean(text, known)}")


def _find_matches(choices: Sequence[Choice], text: str) -> list[int]:
    """Return the indexes of exact matches, else of prefixes, else of parts, ignoring case."""
    texts = [(choice.label.casefold(), as_text(choice.value).casefold()) for choice in choices]
    for fits in (str.__eq__, str.startswith, str.__contains__):
        found = [
            index
            for index, completions in enumerate(texts)
            if any(fits(one, text) for one in completions)
        ]
        if found:
            return found
    return []


def _is_choice(field: FieldDefinition, value: Any) -> bool:
    return any(canonical(choice.value) == canonical(value) for choice in field.choices or ())


def _are_numbered(choices: Sequence[Choice]) -> bool:
    """Return whether choices are numbered: not if a number is itself a value or label."""
    texts = {text for choice in choices for text in (as_text(choice.value), choice.label)}
    return texts.isdisjoint(str(number) for number in range(1, len(choices) + 1))
