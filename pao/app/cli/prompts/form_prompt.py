"""A form filled in on a terminal: prompts, a summary, and saving the answers when it ends early."""

import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, TypeVar

import typer
from rich.padding import Padding
from rich.text import Text

from catalog.forms import FieldDefinition, FieldType
from catalog.forms.result import FormResult
from pao.app.cli.context import CommandContext
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.prompts import line
from pao.app.cli.prompts.answers import Answers
from pao.app.cli.prompts.field_prompt import FieldPrompt
from pao.app.cli.prompts.rows_prompt import Row, RowsPrompt
from pao.app.cli.prompts.saved_answers import SavedAnswers, suggested_names, write
from pao.app.cli.prompts.service import ItemService
from pao.app.cli.prompts.summary import find_field, group_of, print_summary
from pao.app.cli.terminal import clean
from pao.core.field_paths import form_field

Sent = TypeVar("Sent")

_YES, _NO = frozenset({"", "y", "yes"}), frozenset({"n", "no"})


class HangUpInterrupt(KeyboardInterrupt):
    """The terminal is gone, or the process is to end: nobody can be asked."""


class DeclinedInterrupt(KeyboardInterrupt):
    """The person does not want to submit."""


class Purpose(Protocol):
    """What a form is filled in for."""

    @property
    def verb(self) -> str:
        """What is done with the fields, such as Submit."""

    def saved_fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the answers to save, in the form that ``command`` reads."""

    def command(self, path: str) -> list[str]:
        """Return the command that continues with saved answers."""


@dataclass(slots=True)
class FormPrompt:
    """Asks for missing fields, sends them, and asks again for what the service refuses.

    With ``review`` the answers are shown first, even if nothing has to be asked for.
    """

    cli: CommandContext
    answers: Answers
    service: ItemService
    today: date
    purpose: Purpose
    review: bool = False
    _is_open: bool = field(default=False, init=False)
    _has_input: bool = field(default=False, init=False)
    _group: str | None = field(default=None, init=False)
    _question: FieldPrompt | RowsPrompt | None = field(default=None, init=False)

    def run(self, send: Callable[[dict[str, Any]], Sent]) -> Sent:
        """Return what ``send`` returns for the fields once they are accepted.

        If it ends otherwise, the person is offered to save what was typed.
        """
        with _raise_on_hang_up():
            try:
                return self._run(send)
            except HangUpInterrupt:
                self._save(ask=False)
                raise
            except DeclinedInterrupt as error:
                self._save(ask=True)
                self.cli.note("Nothing was sent.")
                raise typer.Exit(ExitCode.INTERRUPTED) from error
            except (KeyboardInterrupt, EOFError):
                self._save(ask=True)
                raise KeyboardInterrupt from None
            except CliError as error:
                if self._has_input:
                    self.cli.report(error)
                    self._save(ask=True)
                    raise typer.Exit(error.exit_code) from error
                raise
            except typer.Exit:
                raise
            except Exception:
                self._save(ask=False)
                raise

    def _run(self, send: Callable[[dict[str, Any]], Sent]) -> Sent:
        self._refuse_unknown()
        is_new = self._ask() or self.review
        if not is_new:
            self._print_left_out()
        while True:
            if is_new:
                self._confirm()
            try:
                return send(self.answers.fields)
            except CliError as error:
                is_new = self.answers.refuse(error.refused)
                is_unavailable = error.exit_code is ExitCode.UNAVAILABLE
                if not is_new and not (is_unavailable and self._has_input):
                    raise
                self.cli.report(error)
                if is_new:
                    self._ask()
                elif not self._ask_yes_no("Try again?"):
                    self._save(ask=True)
                    raise typer.Exit(error.exit_code) from error

    def _ask(self) -> bool:
        """Ask for everything that is missing or invalid; return whether there was anything."""
        asked = False
        while (one := self.answers.next()) is not None:
            if not self._is_open:
                self._open()
            asked = True
            self._ask_for(one)
        return asked

    def _ask_for(self, one: FieldDefinition) -> None:
        answers, name = self.answers, one.id
        self._print_group(name)
        current = answers.get(name)
        problems = answers.problems(name)
        question = FieldPrompt(
            self.cli,
            self._with_choices(one),
            self.today,
            find_problems=lambda value: answers.problems_with(name, value),
            required=answers.is_required(name),
            current=current,
            default=answers.default(name),
        )
        self._question = self._rows(question) if one.type is FieldType.LIST else question
        value = self._question.ask(problems)
        self._question = None
        self._has_input = self._has_input or value is not None
        answers.set_answer(name, value)

    def _rows(self, question: FieldPrompt) -> RowsPrompt:
        name = question.field.id

        def evaluate(rows: list[Row]) -> FormResult:
            return self.answers.validate({**self.answers.fields, name: rows})

        def with_choices(inner: FieldDefinition, row: Row) -> FieldDefinition:
            return self._with_choices(inner, f"{name}.{inner.id}", row)

        return RowsPrompt(question, evaluate, with_choices)

    def _with_choices(
        self, one: FieldDefinition, path: str | None = None, row: Row | None = None
    ) -> FieldDefinition:
        """Return a field with its current choices, if they come from elsewhere."""
        if one.options is None:
            return one
        offer = self.service.offered_choices(path or one.id, self.answers.fields, row)
        if offer.problem is not None:
            self.cli.note(f"The choices of {clean(one.label)} could not be loaded: {offer.problem}")
            return one
        if not offer.choices:
            self.cli.note(f"{clean(one.label)} offers nothing with these answers.")
            return one
        offered = one.model_copy(update={"enum": offer.choices})
        if row is None:
            self.answers.offered_fields[one.id] = offered
        return offered

    def _confirm(self) -> None:
        """Show the summary until the person submits; raises ``DeclinedInterrupt``."""
        while True:
            print_summary(self.cli.err, self.answers)
            for message in self.answers.warnings():
                self.cli.note(f"! {message}")
            self._print_left_out()
            word = line.read_line(f"\n{self.purpose.verb}? [Y/n/e(dit)] > ").strip().casefold()
            if word in _YES:
                return
            if word in _NO:
                raise DeclinedInterrupt
            self._edit(word)

    def _print_left_out(self) -> None:
        for name in self.answers.left_out:
            label = clean(self.answers.form.fields[name].label)
            self.cli.note(f"{label} does not apply with these answers; it is left out.")

    def _edit(self, word: str) -> None:
        head, _, rest = word.partition(" ")
        wanted = rest if head in {"e", "edit"} else word
        if not wanted:
            wanted = line.read_line("Which one, by number or name? > ")
        if not wanted.strip():
            return
        one = find_field(self.answers, wanted)
        if one is None:
            self.cli.note(f"There is no field {wanted.strip()!r} here; give the number beside it.")
            return
        if one.read_only:
            self.cli.note(f"{clean(one.label)} cannot be changed.")
            return
        self._group = group_of(self.answers, one.id).id
        self._ask_for(one)
        self._ask()

    def _ask_yes_no(self, question: str) -> bool:
        return line.read_line(f"\n{question} [Y/n] > ").strip().casefold() in _YES

    def _refuse_unknown(self) -> None:
        if unknown := self.answers.unknown:
            raise CliError(
                "Some of the given fields do not exist",
                exit_code=ExitCode.USAGE,
                details=tuple(f"{name}: {message}" for name, message in unknown.items()),
            )

    def _open(self) -> None:
        """Print the title of the item and how to answer, once."""
        self._is_open = True
        about = self.service.about()
        title = Text(clean(about.get("name") or self.service.item), style="bold")
        self.cli.err.print(title.append(f"  {clean(about.get('version'))}", style="not bold cyan"))
        if about.get("description"):
            self.cli.err.print(Text(clean(about["description"])))
        recalls = ", the up arrow edits it" if line.can_edit() else ""
        how = f"Enter accepts the value in [brackets]{recalls}. Ctrl-C quits; answers can be saved."
        self.cli.err.print(Text(f"\n{how}", style="bright_black"))

    def _print_group(self, name: str) -> None:
        group = group_of(self.answers, name)
        if group.id == self._group:
            return
        self._group = group.id
        title = f"\n── {clean(group.label)} "
        room = max(3, min(self.cli.err.width, 80) - len(title) + 1)
        self.cli.err.print(Text(title + "─" * room, style="bold cyan"))
        if group.description:
            self.cli.err.print(Padding(Text(clean(group.description)), (0, 0, 0, 2)))

    def _save(self, *, ask: bool) -> None:
        """Save what was typed to a file, if the person wants it."""
        if not (self._has_input or (self._question and self._question.draft)):
            return
        saved, secret = self._saved_answers()
        for suggested in suggested_names(self.service.item):
            path: Path | None = None
            while path != suggested:
                path = suggested
                # A terminal that is gone cannot be asked: then it is saved.
                with suppress(OSError):
                    path = self._ask_path(suggested) if ask else suggested
                if path is None or self._try_write(saved, path, secret):
                    return

    def _try_write(self, saved: SavedAnswers, path: Path, secret: list[FieldDefinition]) -> bool:
        try:
            write(saved, path)
        except OSError as error:
            with suppress(OSError):
                self.cli.note(f"{path} cannot be written: {error.strerror}")
            return False
        with suppress(OSError):
            self._print_saved(path, secret)
        return True

    def _ask_path(self, path: Path) -> Path | None:
        """Ask where to save the answers; return None if the person does not want that."""
        question = "\nSave your answers to a file? Enter, or another name; n discards them."
        self.cli.err.print(Text(question))
        try:
            word = line.read_line(f"  [{clean(path)}] > ").strip()
        except EOFError:
            word = ""
        except KeyboardInterrupt:
            return None
        if word.casefold() in _YES:
            return path
        return None if word.casefold() in _NO else Path(word).expanduser()

    def _saved_answers(self) -> tuple[SavedAnswers, list[FieldDefinition]]:
        """Return what is saved, and the fields with a secret, which are not."""
        form, fields = self.answers.form, dict(self.answers.fields)
        unanswered = set(self.answers.unanswered)
        question = self._question
        if question is not None:
            unanswered.add(question.field.id)
            if question.draft:
                fields[question.field.id] = question.draft
        saved = self.purpose.saved_fields(fields)
        holders = {form_field(path) for path in form.passwords.values_in(saved)}
        secret = [one for name, one in form.fields.items() if name in holders]
        saved = form.passwords.without(saved)
        unanswered |= holders
        ordered = [name for name in form.fields if name in unanswered]
        return SavedAnswers(self.service.item, saved, ordered), secret

    def _print_saved(self, path: Path, secret: list[FieldDefinition]) -> None:
        self.cli.note(f"Your answers are in {path}; only you can read it.")
        if secret:
            labels = ", ".join(clean(_secret_label(one)) for one in secret)
            self.cli.note(f"Not in it, because it is secret: {labels}")
        words = self.purpose.command(str(path))
        self.cli.err.print(Text(f"Continue with: {clean(shlex.join(words))}"), soft_wrap=True)


def _secret_label(one: FieldDefinition) -> str:
    inner = [row.label for row in one.fields if row.holds_secret]
    return f"{one.label} ({', '.join(inner)})" if inner else one.label


@contextmanager
def _raise_on_hang_up() -> Iterator[None]:
    """Raise ``HangUpInterrupt`` when the terminal is closed or the process is to end."""

    def raise_hang_up(_number: int, _frame: FrameType | None) -> None:
        raise HangUpInterrupt

    names = ("SIGHUP", "SIGTERM")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    former = {number: signal.signal(number, raise_hang_up) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
