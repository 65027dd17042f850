"""A form filled in on a terminal: questions, a summary, and what happens when it ends early."""

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
from catalog.forms.outcome import FormResult
from pao.app.cli.asking import line
from pao.app.cli.asking.answers import Answers
from pao.app.cli.asking.question import Question
from pao.app.cli.asking.rows import Row, RowsQuestion
from pao.app.cli.asking.saved_answers import Kept, suggested_names, write
from pao.app.cli.asking.service import ItemService
from pao.app.cli.asking.summary import group_of, picked, print_summary
from pao.app.cli.context import Cli
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.terminal import clean
from pao.core.field_paths import form_field

Sent = TypeVar("Sent")

_YES, _NO = frozenset({"", "y", "yes"}), frozenset({"n", "no"})


class HangUp(KeyboardInterrupt):
    """The terminal is gone, or the process is told to end: nobody can be asked anything."""


class Declined(KeyboardInterrupt):
    """The person does not want to submit."""


class Purpose(Protocol):
    """What a form is filled in for."""

    @property
    def verb(self) -> str:
        """What is done with the fields, as a question: Submit."""

    def kept(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return what is kept of the answers, as ``command`` takes it."""

    def command(self, path: str) -> list[str]:
        """Return the command that goes on with kept answers."""


@dataclass(slots=True)
class Interview:
    """Asks for what is missing, sends it, and asks again for what the service refuses.

    With ``review`` the answers are shown first even where nothing has to be asked for.
    """

    cli: Cli
    answers: Answers
    service: ItemService
    today: date
    purpose: Purpose
    review: bool = False
    _is_open: bool = field(default=False, init=False)
    _typed: bool = field(default=False, init=False)
    _group: str | None = field(default=None, init=False)
    _question: Question | RowsQuestion | None = field(default=None, init=False)

    def run(self, send: Callable[[dict[str, Any]], Sent]) -> Sent:
        """Return what ``send`` answers for the fields once they are accepted.

        Whenever it ends otherwise, the person is offered to keep what was typed.
        """
        with _told_of_hang_up():
            try:
                return self._run(send)
            except HangUp:
                self._keep(ask=False)
                raise
            except Declined as error:
                self._keep(ask=True)
                self.cli.note("Nothing was sent.")
                raise typer.Exit(ExitCode.INTERRUPTED) from error
            except (KeyboardInterrupt, EOFError):
                self._keep(ask=True)
                raise KeyboardInterrupt from None
            except CliError as error:
                if self._typed:
                    self.cli.report(error)
                    self._keep(ask=True)
                    raise typer.Exit(error.exit_code) from error
                raise
            except typer.Exit:
                raise
            except Exception:
                self._keep(ask=False)
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
                is_away = error.exit_code is ExitCode.UNAVAILABLE
                if not is_new and not (is_away and self._typed):
                    raise
                self.cli.report(error)
                if is_new:
                    self._ask()
                elif not self._yes("Try again?"):
                    self._keep(ask=True)
                    raise typer.Exit(error.exit_code) from error

    def _ask(self) -> bool:
        """Ask for everything that is missing or wrong; return whether there was anything."""
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
        old = answers.get(name)
        problems = answers.problems(name)
        question = Question(
            self.cli,
            self._offering(one),
            self.today,
            judge=lambda value: answers.problems_with(name, value),
            required=answers.is_required(name),
            old=old,
            default=answers.default(name),
        )
        self._question = self._rows(question) if one.type is FieldType.LIST else question
        value = self._question.ask(problems)
        self._question = None
        self._typed = self._typed or value is not None
        answers.put(name, value)

    def _rows(self, question: Question) -> RowsQuestion:
        name = question.field.id

        def judge(rows: list[Row]) -> FormResult:
            return self.answers.judge({**self.answers.fields, name: rows})

        def offering(inner: FieldDefinition, row: Row) -> FieldDefinition:
            return self._offering(inner, f"{name}.{inner.id}", row)

        return RowsQuestion(question, judge, offering)

    def _offering(
        self, one: FieldDefinition, way: str | None = None, row: Row | None = None
    ) -> FieldDefinition:
        """Return a field with the choices that it offers now, where they come from elsewhere."""
        if one.options is None:
            return one
        offer = self.service.offer(way or one.id, self.answers.fields, row)
        if offer.problem is not None:
            self.cli.note(f"The choices of {clean(one.label)} are not known: {offer.problem}")
            return one
        if not offer.choices:
            self.cli.note(f"{clean(one.label)} offers nothing with these answers.")
            return one
        offered = one.model_copy(update={"enum": offer.choices})
        if row is None:
            self.answers.known[one.id] = offered
        return offered

    def _confirm(self) -> None:
        """Show the summary until the person submits; raises ``Declined``."""
        while True:
            print_summary(self.cli.err, self.answers)
            for said in self.answers.warnings():
                self.cli.note(f"! {said}")
            self._print_left_out()
            word = line.read_line(f"\n{self.purpose.verb}? [Y/n/e(dit)] > ").strip().casefold()
            if word in _YES:
                return
            if word in _NO:
                raise Declined
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
        one = picked(self.answers, wanted)
        if one is None:
            self.cli.note(f"There is no field {wanted.strip()!r} here; give the number beside it.")
            return
        if one.read_only:
            self.cli.note(f"{clean(one.label)} cannot be changed.")
            return
        self._group = group_of(self.answers, one.id).id
        self._ask_for(one)
        self._ask()

    def _yes(self, question: str) -> bool:
        return line.read_line(f"\n{question} [Y/n] > ").strip().casefold() in _YES

    def _refuse_unknown(self) -> None:
        if unknown := self.answers.unknown:
            raise CliError(
                "Some of the given fields do not exist",
                exit_code=ExitCode.USAGE,
                details=tuple(f"{name}: {said}" for name, said in unknown.items()),
            )

    def _open(self) -> None:
        """Print what is asked for and how to answer, once."""
        self._is_open = True
        about = self.service.about()
        title = Text(clean(about.get("name") or self.service.item), style="bold")
        self.cli.err.print(title.append(f"  {clean(about.get('version'))}", style="not bold cyan"))
        if about.get("description"):
            self.cli.err.print(Text(clean(about["description"])))
        recalls = ", the up arrow edits it" if line.can_edit() else ""
        how = f"Enter takes what is in [brackets]{recalls}. Ctrl-C leaves; answers can be kept."
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

    def _keep(self, *, ask: bool) -> None:
        """Write what was typed into a file, where the person wants it."""
        if not (self._typed or (self._question and self._question.draft)):
            return
        kept, secret = self._kept()
        for suggested in suggested_names(self.service.item):
            path: Path | None = None
            while path != suggested:
                path = suggested
                # A terminal that is gone cannot be asked: it is kept then.
                with suppress(OSError):
                    path = self._wanted(suggested) if ask else suggested
                if path is None or self._is_written(kept, path, secret):
                    return

    def _is_written(self, kept: Kept, path: Path, secret: list[FieldDefinition]) -> bool:
        try:
            write(kept, path)
        except OSError as error:
            with suppress(OSError):
                self.cli.note(f"{path} cannot be written: {error.strerror}")
            return False
        with suppress(OSError):
            self._print_kept(path, secret)
        return True

    def _wanted(self, path: Path) -> Path | None:
        """Ask where to keep the answers; return None where the person does not want that."""
        question = "\nKeep your answers as a file? Enter or another name; n discards them."
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

    def _kept(self) -> tuple[Kept, list[FieldDefinition]]:
        """Return what is kept, and the fields with a secret, which are not."""
        form, fields = self.answers.form, dict(self.answers.fields)
        unanswered = set(self.answers.unanswered)
        question = self._question
        if question is not None:
            unanswered.add(question.field.id)
            if question.draft:
                fields[question.field.id] = question.draft
        kept = self.purpose.kept(fields)
        holders = {form_field(way) for way in form.passwords.values_in(kept)}
        secret = [one for name, one in form.fields.items() if name in holders]
        kept = form.passwords.without(kept)
        unanswered |= holders
        ordered = [name for name in form.fields if name in unanswered]
        return Kept(self.service.item, kept, ordered), secret

    def _print_kept(self, path: Path, secret: list[FieldDefinition]) -> None:
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
def _told_of_hang_up() -> Iterator[None]:
    """Raise ``HangUp`` where a closed terminal or an order to end would end the process."""

    def raise_hang_up(_number: int, _frame: FrameType | None) -> None:
        raise HangUp

    names = ("SIGHUP", "SIGTERM")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    former = {number: signal.signal(number, raise_hang_up) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
