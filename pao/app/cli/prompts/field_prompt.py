"""Asks for one field, with its limits, until the validator accepts the answer."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.padding import Padding
from rich.text import Text

from catalog.forms import FieldDefinition, FieldType
from catalog.forms.reading import ReadingError, read
from catalog.forms.ui_schema import field_validation
from catalog.forms.values import resolve_date
from catalog.forms.writing import as_text
from pao.app.cli.constraint_texts import constraint_texts
from pao.app.cli.context import CommandContext
from pao.app.cli.fields import read_text_file, read_value
from pao.app.cli.prompts import choices, line
from pao.app.cli.prompts.display import display_value
from pao.app.cli.prompts.editor import edit
from pao.app.cli.terminal import clean

# Typed if there is an answer, it removes that answer.
EMPTY_ANSWER = '""'
_MULTILINE_TYPES = frozenset({FieldType.JSON, FieldType.TEXTAREA})
_FORMATS = {
    FieldType.DATE: "a date such as 2026-03-01",
    FieldType.EMAIL: "an email address",
    FieldType.NUMBER: "a number",
    FieldType.INTEGER: "a whole number",
    FieldType.FILE: "the path of a file",
    FieldType.DATETIME: "a moment with its offset such as 2026-03-01T08:30:00Z",
    FieldType.TIME: "a time of day such as 08:30",
    FieldType.DURATION: "a duration such as 90s, 1h30m or 2d",
    FieldType.URL: "an address such as https://wiki.example.com/page",
    FieldType.USER: "the id or email address of a person",
    FieldType.TEAM: "the id of a team",
    FieldType.LIST: (
        f"a adds a row, 2 changes row 2, -2 removes it; @FILE or {line.EDITOR} takes all as JSON"
    ),
    FieldType.JSON: f"JSON; @FILE reads a file, {line.EDITOR} opens an editor",
    FieldType.TEXTAREA: (
        f"several lines, ended by a single dot; @FILE reads a file, {line.EDITOR} opens an editor"
    ),
}
# Longer answers are cut in the brackets of a prompt.
_BRACKET_WIDTH = 48

FindProblems = Callable[[Any], Sequence[str]]


@dataclass(slots=True)
class FieldPrompt:
    """A field that is asked for.

    ``required`` says whether it must have a value, given the other answers; ``current`` is the
    answer that it has already, ``default`` its value without one. ``draft`` keeps what was
    typed and is no answer yet, in case the person quits.
    """

    cli: CommandContext
    field: FieldDefinition
    today: date
    find_problems: FindProblems
    required: bool = False
    current: Any = None
    default: Any = None
    draft: str = ""

    def ask(self, problems: Sequence[str] = ()) -> Any:
        """Return an answer that the validator accepts, or None if it is left empty."""
        self.print_heading()
        self.print_problems(problems)
        while True:
            try:
                value = self._answer()
            except choices.ChoiceError as error:
                self.print_problems([f"{self.field.label}: {error}"])
                choices.print_selected(self.cli.err, self.field, error.matches[:20])
                continue
            except (ValueError, RecursionError) as error:
                self.print_problems([f"{self.field.label}: {error}"])
                continue
            problems = self.find_problems(value)
            if not problems and self._is_confirmed(value):
                return value
            self.print_problems(problems)

    def _answer(self) -> Any:
        text = self._text()
        if not text:
            return self._empty_value()
        if text == EMPTY_ANSWER and (self.current is not None or self.default is not None):
            return [] if self.field.type is FieldType.MULTISELECT else None
        if self.field.type is not FieldType.PASSWORD:
            self.draft = text
        return self._value(text)

    def _empty_value(self) -> Any:
        if self.current is not None:
            return self.current
        # An unchecked box of a page is false, too.
        is_box = self.field.type is FieldType.BOOLEAN and self.default is None
        return False if is_box and not self.required else None

    def _text(self) -> str:
        recall, prompt = self.draft or self._recall_text(), f"  {self._bracket()}> "
        if self.field.type is FieldType.PASSWORD:
            return line.read_secret(prompt)
        lines: list[str] = []
        try:
            if self.field.type not in _MULTILINE_TYPES:
                words = choices.completions(self.field)
                return line.read_line(prompt, recall=recall, words=words, lines=lines)
            if self.field.type is FieldType.JSON:
                text = line.read_until(prompt, self._is_whole, lines=lines)
            else:
                text = line.read_text(prompt, recall=recall, lines=lines)
        finally:
            self.draft = "\n".join(lines) or self.draft
        return text if lines else self._long_text(text)

    def _long_text(self, word: str) -> str:
        """Return the text from the editor or a file; an empty one as it is."""
        if word == line.EDITOR:
            suffix = ".json" if self.field.type is FieldType.JSON else ".txt"
            return edit(self.draft or self._recall_text() or "", suffix=suffix)
        return read_text_file(word[1:]) if word.startswith("@") else word

    def read_bulk_value(self, word: str, value: Any) -> Any:
        """Return the value in a file, or the given one after editing (``!``)."""
        if word != line.EDITOR:
            return read(self.field, read_text_file(word[1:]))
        return read(
            self.field, edit(json.dumps(value, indent=2, ensure_ascii=False), suffix=".json")
        )

    def _is_whole(self, text: str) -> bool:
        try:
            read(self.field, text)
        except ReadingError:
            return False
        return True

    def _value(self, text: str) -> Any:
        if not self.field.choices:
            return read_value(self.field, text)
        if text == choices.ALL:
            choices.print_choices(self.cli.err, self.field, everything=True)
            return self._answer()
        choice = choices.pick(self.field, text)
        if display_value(self.field, choice) != clean(text):
            self.cli.err.print(Text(f"  = {display_value(self.field, choice)}", style="green"))
        return choice

    def _is_confirmed(self, value: Any) -> bool:
        is_new = value is not None and value != self.current
        if self.field.type is not FieldType.PASSWORD or not is_new:
            return True
        if line.read_secret("  again > ") == value:
            return True
        self.print_problems(["The two entries differ; type it again."])
        return False

    def _recall_text(self) -> str | None:
        value = self.default if self.current is None else self.current
        if value is None or self.field.type in (FieldType.FILE, FieldType.PASSWORD):
            return None
        if self.field.type is FieldType.JSON:
            return json.dumps(value, indent=2, ensure_ascii=False)
        return as_text(value)

    def _bracket(self) -> str:
        if self.field.type is FieldType.BOOLEAN:
            return f"[{self._yes_or_no()}] "
        value = self.default if self.current is None else self.current
        if value is None:
            return ""
        return f"[{display_value(self.field, value, width=_BRACKET_WIDTH)}] {self._reset_hint()}"

    def _reset_hint(self) -> str:
        if self.current is None or (self.required and self.default is None):
            return ""
        return (
            f"({EMPTY_ANSWER} {'removes it' if self.default is None else 'restores the default'}) "
        )

    def _yes_or_no(self) -> str:
        value = self.default if self.current is None else self.current
        if value is None and self.required:
            return "y/n"
        return "Y/n" if value is True else "y/N"

    def print_heading(self) -> None:
        """Print label, description, limits and choices of the field."""
        label = Text(f"\n{clean(self.field.label)}", style="bold")
        if not self.required and self.default is None:
            label.append("  (optional)", style="not bold bright_black")
        self.cli.err.print(label)
        if self.field.description:
            self._print(Text(clean(self.field.description)))
        if hints := self._hints():
            self._print(Text("; ".join(hints), style="bright_black"))
        if self.field.choices:
            choices.print_choices(self.cli.err, self.field)

    def _hints(self) -> list[str]:
        rules = field_validation(self.field)
        message = rules.pop("message", None)
        if message:
            rules.pop("pattern", None)
        if self.field.type is FieldType.DATE:
            rules |= {key: self._resolve_day(rules[key]) for key in ("min", "max") if key in rules}
        hints = [_FORMATS[self.field.type]] if self.field.type in _FORMATS else []
        if self.field.type is FieldType.MULTISELECT:
            hints.append("several with commas")
        limits = ", ".join(constraint_texts(rules))
        if self.field.type is FieldType.LIST:
            limits = limits.replace("of them", "rows")
        hints += [limits] if limits else []
        hints += [clean(message)] if message else []
        if self.field.placeholder:
            hints.append(f"e.g. {clean(self.field.placeholder)}")
        return hints

    def _resolve_day(self, bound: Any) -> Any:
        day = resolve_date(bound, self.today) if isinstance(bound, str) else None
        return day.isoformat() if day else bound

    def print_problems(self, problems: Sequence[str]) -> None:
        """Print what is wrong."""
        for problem in problems:
            self._print(Text(f"✗ {clean(problem)}", style="red"))

    def _print(self, text: Text) -> None:
        self.cli.err.print(Padding(text, (0, 0, 0, 2)))
