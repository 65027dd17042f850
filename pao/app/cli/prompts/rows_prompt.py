"""Asks for a list of rows, field by field; each row can be changed or removed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from catalog.forms import FieldDefinition, FieldError, FieldType, FormResult
from catalog.forms.conditions import holds
from catalog.forms.passwords import passwords_among
from catalog.masked_passwords import restore_passwords
from catalog.secrets import mask_passwords
from pao.app.cli.prompts import line
from pao.app.cli.prompts.display import display_row
from pao.app.cli.prompts.field_prompt import FieldPrompt
from pao.app.cli.terminal import clean
from pao.core.field_paths import parse_field_path
from pao.core.names import MASK
from pao.core.passwords import PasswordFields

Row = dict[str, Any]


@dataclass(slots=True)
class RowsPrompt:
    """A list that is asked for; ``outer`` is the prompt of the list as a whole.

    ``evaluate`` validates the form with these rows, ``with_choices`` returns the field of a row
    with its choices.
    """

    outer: FieldPrompt
    evaluate: Callable[[list[Row]], FormResult]
    with_choices: Callable[[FieldDefinition, Row], FieldDefinition]
    _rows: list[Row] = field(default_factory=list, init=False)

    @property
    def field(self) -> FieldDefinition:
        """The list."""
        return self.outer.field

    @property
    def draft(self) -> list[Row]:
        """The rows so far, in case the person quits."""
        return self._rows

    def ask(self, problems: Sequence[str] = ()) -> Any:
        """Return rows that the validator accepts, or None if there are none."""
        self.outer.print_heading()
        self.outer.print_problems(problems)
        given = self.outer.default if self.outer.current is None else self.outer.current
        self._rows = [dict(row) for row in given or () if isinstance(row, dict)]
        if not self._rows and self.outer.required:
            self._ask_row(0)
        while True:
            self._print_rows()
            word = line.read_line("  [done] > ").strip()
            if word:
                self._run_command(word)
                continue
            found = self._problems()
            if not found:
                return self._rows or None
            self.outer.print_problems(found)

    def _run_command(self, word: str) -> None:
        number = word.lstrip("-")
        if word.casefold() in {"a", "add"}:
            self._ask_row(len(self._rows))
        elif word.startswith("@") or word == line.EDITOR:
            self._replace_rows(word)
        elif number.isdecimal() and 1 <= int(number[:9]) <= len(self._rows):
            index = int(number) - 1
            if word.startswith("-"):
                del self._rows[index]
            else:
                self._ask_row(index)
        else:
            self.outer.print_problems([f"{word!r} is neither 'a' nor the number of a row"])

    def _replace_rows(self, word: str) -> None:
        """Replace all rows from a file or the editor, which shows stars for passwords."""
        name, before = self.field.id, {self.field.id: self._rows}
        try:
            taken = self.outer.read_bulk_value(word, mask_passwords(before, self._passwords)[name])
        except ValueError as error:
            self.outer.print_problems([f"{self.field.label}: {error}"])
            return
        if isinstance(taken, list) and all(isinstance(row, dict) for row in taken):
            masked = restore_passwords({name: self.field}, before, {name: taken})
            self._rows = masked[name]
        else:
            self.outer.print_problems([f"{self.field.label}: must be a list of mappings"])

    def _ask_row(self, index: int) -> None:
        is_new = index == len(self._rows)
        self.outer.cli.err.print(Text(f"\n  Row {index + 1}", style="bold cyan"))
        if is_new:
            self._rows.append({})
        for inner in self.field.fields:
            if self._is_asked(index, inner):
                self._ask_field(index, inner)
            else:
                self._rows[index].pop(inner.id, None)

    def _is_asked(self, index: int, inner: FieldDefinition) -> bool:
        if inner.read_only or inner.conditional is None:
            return not inner.read_only
        result = self.evaluate(self._rows)
        return holds(inner.conditional, {**result.values, **self._effective_row(result, index)})

    def _ask_field(self, index: int, inner: FieldDefinition) -> None:
        row = self._rows[index]
        path = f"{self.field.id}[{index}].{inner.id}"
        others = {name: value for name, value in row.items() if name != inner.id}
        taken = self._effective_row(
            self.evaluate([*self._rows[:index], others, *self._rows[index + 1 :]]), index
        )

        def evaluate(value: Any) -> list[str]:
            rows = [*self._rows[:index], {**row, inner.id: value}, *self._rows[index + 1 :]]
            return [error.message for error in self._errors(rows) if error.field == path]

        question = FieldPrompt(
            self.outer.cli,
            self.with_choices(inner, row),
            self.outer.today,
            evaluate,
            required=inner.is_always_required,
            current=row.get(inner.id),
            default=taken.get(inner.id),
        )
        try:
            value = question.ask()
        except (KeyboardInterrupt, EOFError):
            if question.draft and inner.type is not FieldType.PASSWORD:
                row[inner.id] = question.draft
            raise
        if value is None:
            row.pop(inner.id, None)
        else:
            row[inner.id] = value

    def _errors(self, rows: list[Row]) -> Iterator[FieldError]:
        """Yield the errors; stars for a password of an earlier request are not checked here."""
        found = self._passwords.values_in({self.field.id: rows})
        masked = {path for path, value in found.items() if value == MASK}
        return (error for error in self.evaluate(rows).errors if error.field not in masked)

    @property
    def _passwords(self) -> PasswordFields:
        return passwords_among((self.field,))

    def _effective_row(self, result: FormResult, index: int) -> Row:
        """Return a row with its defaults."""
        rows = result.values.get(self.field.id)
        row = rows[index] if isinstance(rows, list) and index < len(rows) else {}
        return row if isinstance(row, dict) else {}

    def _problems(self) -> list[str]:
        found = []
        for error in self._errors(self._rows):
            root, number, _ = parse_field_path(error.field)
            if root == self.field.id:
                where = "" if number is None else f"Row {number + 1}: "
                found.append(where + error.message)
        return found

    def _print_rows(self) -> None:
        for number, row in enumerate(self._rows, start=1):
            text = Text(f"  {number}  ", style="cyan")
            text.append(clean(display_row(self.field, row)), style="default")
            self.outer.cli.err.print(text)
