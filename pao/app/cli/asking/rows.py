"""A list of rows: each row is asked for field by field, and can be changed or removed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from catalog.forms import FieldDefinition, FieldType
from catalog.forms.conditions import holds
from catalog.forms.outcome import FieldError, FormResult
from catalog.forms.passwords import passwords_among
from catalog.kept_passwords import with_kept_passwords
from catalog.secrets import with_stars
from pao.app.cli.asking import line
from pao.app.cli.asking.display import row_shown
from pao.app.cli.asking.question import Question
from pao.app.cli.terminal import clean
from pao.core.field_paths import parse_field_path
from pao.core.names import MASK
from pao.core.passwords import PasswordFields

Row = dict[str, Any]


@dataclass(slots=True)
class RowsQuestion:
    """A list that is asked for; ``outer`` asks for it as a whole.

    ``judge`` returns what is wrong with the form with these rows, ``offering`` the field of a row
    with its choices.
    """

    outer: Question
    judge: Callable[[list[Row]], FormResult]
    offering: Callable[[FieldDefinition, Row], FieldDefinition]
    _rows: list[Row] = field(default_factory=list, init=False)

    @property
    def field(self) -> FieldDefinition:
        """The list."""
        return self.outer.field

    @property
    def draft(self) -> list[Row]:
        """The rows so far, for when the person leaves."""
        return self._rows

    def ask(self, problems: Sequence[str] = ()) -> Any:
        """Return rows that the validator accepts, None where there are none."""
        self.outer.print_heading()
        self.outer.complain(problems)
        given = self.outer.default if self.outer.old is None else self.outer.old
        self._rows = [dict(row) for row in given or () if isinstance(row, dict)]
        if not self._rows and self.outer.required:
            self._ask_row(0)
        while True:
            self._print_rows()
            word = line.read_line("  [done] > ").strip()
            if word:
                self._do(word)
                continue
            told = self._problems()
            if not told:
                return self._rows or None
            self.outer.complain(told)

    def _do(self, word: str) -> None:
        number = word.lstrip("-")
        if word.casefold() in {"a", "add"}:
            self._ask_row(len(self._rows))
        elif word.startswith("@") or word == line.EDITOR:
            self._take(word)
        elif number.isdecimal() and 1 <= int(number[:9]) <= len(self._rows):
            index = int(number) - 1
            if word.startswith("-"):
                del self._rows[index]
            else:
                self._ask_row(index)
        else:
            self.outer.complain([f"{word!r} is neither a, nor the number of a row"])

    def _take(self, word: str) -> None:
        """Take all rows from a file, or from the editor, which shows stars for passwords."""
        name, before = self.field.id, {self.field.id: self._rows}
        try:
            taken = self.outer.written(word, with_stars(before, self._passwords)[name])
        except ValueError as error:
            self.outer.complain([f"{self.field.label}: {error}"])
            return
        if isinstance(taken, list) and all(isinstance(row, dict) for row in taken):
            kept = with_kept_passwords({name: self.field}, before, {name: taken})
            self._rows = kept[name]
        else:
            self.outer.complain([f"{self.field.label}: must be a list of mappings"])

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
        result = self.judge(self._rows)
        return holds(inner.conditional, {**result.values, **self._taken(result, index)})

    def _ask_field(self, index: int, inner: FieldDefinition) -> None:
        row = self._rows[index]
        way = f"{self.field.id}[{index}].{inner.id}"
        others = {name: value for name, value in row.items() if name != inner.id}
        taken = self._taken(
            self.judge([*self._rows[:index], others, *self._rows[index + 1 :]]), index
        )

        def judge(value: Any) -> list[str]:
            rows = [*self._rows[:index], {**row, inner.id: value}, *self._rows[index + 1 :]]
            return [error.message for error in self._errors(rows) if error.field == way]

        question = Question(
            self.outer.cli,
            self.offering(inner, row),
            self.outer.today,
            judge,
            required=inner.is_always_required,
            old=row.get(inner.id),
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
        """Return what is wrong; stars for a password of an earlier request are not judged here."""
        found = self._passwords.values_in({self.field.id: rows})
        kept = {way for way, value in found.items() if value == MASK}
        return (error for error in self.judge(rows).errors if error.field not in kept)

    @property
    def _passwords(self) -> PasswordFields:
        return passwords_among((self.field,))

    def _taken(self, result: FormResult, index: int) -> Row:
        """Return a row as it is with its defaults."""
        rows = result.values.get(self.field.id)
        row = rows[index] if isinstance(rows, list) and index < len(rows) else {}
        return row if isinstance(row, dict) else {}

    def _problems(self) -> list[str]:
        told = []
        for error in self._errors(self._rows):
            root, number, _ = parse_field_path(error.field)
            if root == self.field.id:
                where = "" if number is None else f"Row {number + 1}: "
                told.append(where + error.message)
        return told

    def _print_rows(self) -> None:
        for number, row in enumerate(self._rows, start=1):
            text = Text(f"  {number}  ", style="cyan")
            text.append(clean(row_shown(self.field, row)), style="default")
            self.outer.cli.err.print(text)
