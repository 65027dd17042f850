"""`pao catalog init`: writes a new, commented and valid item after some prompts; no server."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.form_parts import PARTS
from pao.app.cli.item_answers import InitAnswers
from pao.app.cli.prompts.line import read_line
from pao.app.cli.terminal import clean

if TYPE_CHECKING:
    from catalog.model import CatalogDocument

app = typer.Typer()


class InitMode(StrEnum):
    """How a new item is fulfilled."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"
    HYBRID = "hybrid"


_URL = "https://api.example.com/v1/resources"
_WORD = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ID_PARTS = 3
_MIN_DESCRIPTION, _MAX_DESCRIPTION = 50, 500


@command(app, "init")
def init(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    name: Annotated[str | None, typer.Option(help="Display name.")] = None,
    category: Annotated[
        str | None, typer.Option(help="Category folder, such as databases.")
    ] = None,
    ident: Annotated[
        str | None, typer.Option("--id", help="{category-singular}-{service}-{variant}.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="50 to 500 characters.")] = None,
    team: Annotated[str | None, typer.Option(help="The team that owns it.")] = None,
    contact: Annotated[str | None, typer.Option(help="Address of the team.")] = None,
    project: Annotated[str | None, typer.Option(help="JIRA project of its tickets.")] = None,
    parts: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="PARTS",
            help=f"Further parts of the form, joined by commas: {', '.join(PARTS)}.",
        ),
    ] = None,
    mode: Annotated[
        InitMode, typer.Option(help="Whether people, a call, or both fulfil it.")
    ] = InitMode.MANUAL,
    url: Annotated[
        str | None, typer.Option(help="Address that an automatic or hybrid item calls.")
    ] = None,
    components: Annotated[
        list[str] | None,
        typer.Option(
            "--component", metavar="ITEM", help="Write a bundle of these items; repeatable."
        ),
    ] = None,
    catalog: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The catalog (CATALOG_PATH, else catalog/ or .)."),
    ] = None,
) -> None:
    """Write a new item with a form, its actions and a first case; on a terminal it asks.

    With --component it is a bundle, whose form asks for what its items need.
    """
    from pao.app.cli import documents  # noqa: PLC0415 -- the rules: 0.5 s
    from pao.app.cli.bundle_template import write_bundle  # noqa: PLC0415 -- as above
    from pao.app.cli.item_template import write_item  # noqa: PLC0415 -- as above

    folder = documents.catalog_folder(catalog)
    given = [] if mode is InitMode.MANUAL else ["--mode", mode.value]
    given += [word for one in components or () for word in ("--component", one)]
    given += ["--catalog", str(catalog)] if catalog else []
    ask = _Prompts(cli, given)
    with ask.show_command_on_error():
        title = ask("name", name, "Name", check=_check_name)
        default_category = "bundles" if components else "databases"
        group = ask(
            "category",
            category,
            "Category, the folder",
            default=default_category,
            check=_check_word,
        )
        suggested = suggested_id(group, title)
        description_question = "Description, at least 50 characters"
        answers = InitAnswers(
            name=title,
            category=group,
            id=ask("id", ident, "Id", default=suggested, check=_check_id),
            description=ask(
                "description", description, description_question, check=_check_description
            ),
            team=ask("team", team, "Owning team", default="team-platform", check=_check_required),
            contact=ask(
                "contact", contact, "Address of the team", default="", check=_accept_anything
            ),
            project=""
            if components
            else ask(
                "project",
                project,
                "JIRA project of its tickets",
                default="PLATFORM",
                check=_check_project,
            ),
            mode=mode.value,
            url=""
            if mode is InitMode.MANUAL
            else ask("url", url, "Address that is called", default=_URL, check=_check_url),
        )
        question = f"Further parts ({', '.join(PARTS)})"
        further = "" if components else ask("with", parts, question, default="", check=_check_parts)
        ask.finish()
        answers = replace(answers, parts=tuple(_split(further)))
        if components:
            files = [write_bundle(folder, answers, _items(components, folder))]
        else:
            files = [*write_item(folder, answers)]
    shown = [documents.display_path(file) for file in files]
    written = dict(zip(("file", "case"), shown, strict=False))
    cli.show(written, lambda: _print_next(cli, shown))


def _items(names: list[str], folder: Path) -> "list[CatalogDocument]":
    from pao.app.cli.documents import find  # noqa: PLC0415 -- the rules: 0.5 s

    return [find(name, folder).item for name in names]


class _Prompts:
    """Asks for what was not given; without a terminal it collects what is missing."""

    def __init__(self, cli: CommandContext, given: list[str]) -> None:
        self._cli = cli
        self._given = given
        self._answers: dict[str, str] = {}
        self._has_asked = False
        self._problems: list[str] = []

    @contextmanager
    def show_command_on_error(self) -> Iterator[None]:
        """Print the command that continues with the answers if no item is written."""
        try:
            yield
        except (EOFError, KeyboardInterrupt, CliError) as error:
            if self._has_asked and self._answers:
                words = [
                    word for name, text in self._answers.items() for word in (f"--{name}", text)
                ]
                words += self._given
                command = clean(shlex.join(["pao", "catalog", "init", *words]))
                self._cli.err.print(Text(f"\nContinue with: {command}"), soft_wrap=True)
            if isinstance(error, EOFError):
                raise KeyboardInterrupt from None
            raise

    def __call__(
        self,
        option: str,
        given: str | None,
        question: str,
        *,
        check: Callable[[str], str],
        default: str | None = None,
    ) -> str:
        """Return an answer that passes its check."""
        problem = check(given) if given is not None else ""
        if given is not None and not (problem and self._cli.interactive):
            self._problems += [f"--{option}: {problem}"] if problem else []
            answer = given
        elif self._cli.interactive:
            answer = self._ask(question, default, check, wrong=given)
        else:
            self._problems += [f"--{option} is missing"] if default is None else []
            answer = default or ""
        self._answers[option] = answer
        return answer

    def finish(self) -> None:
        """Raise ``CliError`` with everything that is missing or invalid."""
        if self._problems:
            raise CliError(
                "The item cannot be written yet",
                exit_code=ExitCode.USAGE,
                details=tuple(self._problems),
            )

    def _ask(
        self,
        question: str,
        default: str | None,
        check: Callable[[str], str],
        *,
        wrong: str | None = None,
    ) -> str:
        self._has_asked = True
        prompt = f"{question} [{clean(default)}]: " if default else f"{question}: "
        recall = default or None
        while True:
            if wrong is not None:
                self._cli.note(f"{wrong!r}: {check(wrong)}" if wrong else check(wrong))
                recall = wrong or recall
            answer = read_line(prompt, recall=recall).strip() or default or ""
            if not check(answer):
                return answer
            wrong = answer


def _print_next(cli: CommandContext, files: list[str]) -> None:
    file, *cases = files
    for one in files:
        cli.out.print(Text("✓ ", style="green").append(clean(one), style="bold default"))
    cli.out.print(Text("\nNow edit it, and check it as often as you like:", style="default"))
    for line in (f"pao catalog preview {file}", f"pao catalog validate {file}"):
        cli.out.print(Text(f"  {clean(line)}", style="cyan"), soft_wrap=True)
    if cases:
        line = f"  pao catalog test {clean(file)} --update"
        cli.out.print(Text(line, style="cyan"), soft_wrap=True)


def suggested_id(category: str, name: str) -> str:
    """Return an id that satisfies the rule metadata-id."""
    # access and dns are not plurals.
    singular = re.sub(r"ies$", "y", category)
    singular = singular if singular.endswith(("ss", "dns")) else singular.removesuffix("s")
    words = re.findall(r"[a-z0-9]+", name.lower())
    rest = [word for word in words if word not in {singular, category}] or ["service"]
    parts = [singular, *rest]
    return "-".join(parts if len(parts) >= _ID_PARTS else [*parts, "standard"])


def _check_required(answer: str) -> str:
    return "" if answer.strip() else "a value is required"


def _check_name(answer: str) -> str:
    return "a name is not a template; leave out {{" if "{{" in answer else _check_required(answer)


def _check_url(answer: str) -> str:
    good = answer.startswith(("https://", "http://", "{{"))
    return "" if good else "enter an address such as https://api.example.com/v1/databases"


def _accept_anything(_answer: str) -> str:
    return ""


def _check_word(answer: str) -> str:
    return "" if _WORD.fullmatch(answer) else "use lowercase letters, digits and hyphens"


def _check_id(answer: str) -> str:
    if not _WORD.fullmatch(answer) or answer.count("-") < _ID_PARTS - 1:
        return "use three words joined by hyphens, such as database-postgresql-standard"
    return ""


def _check_description(answer: str) -> str:
    if _MIN_DESCRIPTION <= len(answer) <= _MAX_DESCRIPTION:
        return ""
    return f"{len(answer)} characters; write {_MIN_DESCRIPTION} to {_MAX_DESCRIPTION}"


def _split(answer: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in answer.split(",") if part.strip()))


def _check_parts(answer: str) -> str:
    unknown = [part for part in _split(answer) if part not in PARTS]
    return f"there is no part {unknown[0]!r}; choose from {', '.join(PARTS)}" if unknown else ""


def _check_project(answer: str) -> str:
    good = re.fullmatch(r"[A-Z][A-Z0-9_]{1,9}", answer)
    return "" if good else "enter the key of a JIRA project, such as DB"
