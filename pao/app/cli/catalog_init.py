"""`pao catalog init`: a new item by questions, commented, valid from the start; no server."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from pao.app.cli.context import Cli, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.item_answers import InitAnswers
from pao.app.cli.terminal import clean

app = typer.Typer()

_WORD = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ID_PARTS = 3
_SHORTEST, _LONGEST = 50, 500


@command(app, "init")
def init(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: Cli,
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
    catalog: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The catalog (CATALOG_PATH, else catalog/ or .)."),
    ] = None,
) -> None:
    """Write a new item with a form, a ticket and a first case; asks on a terminal."""
    from pao.app.cli import documents  # noqa: PLC0415 -- the rules: 0.5 s
    from pao.app.cli.item_template import write_item  # noqa: PLC0415 -- as above

    folder = documents.catalog_folder(catalog)
    ask = _Questions(cli)
    title = ask("name", name, "Name", check=_plain)
    group = ask("category", category, "Category, the folder", default="databases", check=_word)
    answers = InitAnswers(
        name=title,
        category=group,
        id=ask("id", ident, "Id", default=_suggested_id(group, title), check=_identifier),
        description=ask(
            "description", description, "Description, at least 50 characters", check=_about
        ),
        team=ask("team", team, "Owning team", default="team-platform", check=_some),
        contact=ask("contact", contact, "Address of the team", default="", check=_any),
        project=ask(
            "project", project, "JIRA project of its tickets", default="PLATFORM", check=_key
        ),
    )
    ask.finish()
    file, case = write_item(folder, answers)
    cli.show(
        {"file": documents.shown(file), "case": documents.shown(case)},
        lambda: _print_next(cli, documents.shown(file), documents.shown(case)),
    )


class _Questions:
    """Asks for what was not given; without a terminal it notes what is missing."""

    def __init__(self, cli: Cli) -> None:
        self._cli = cli
        self._problems: list[str] = []

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
        if given is not None:
            problem = check(given)
            self._problems += [f"--{option}: {problem}"] if problem else []
            return given
        if self._cli.interactive:
            return self._asked(question, default, check)
        if default is None:
            self._problems.append(f"--{option} is missing")
        return default or ""

    def finish(self) -> None:
        """End the command with everything that is missing or wrong."""
        if self._problems:
            raise CliError(
                "The item cannot be written yet",
                exit_code=ExitCode.USAGE,
                details=tuple(self._problems),
            )

    def _asked(self, question: str, default: str | None, check: Callable[[str], str]) -> str:
        while True:
            answer = str(
                typer.prompt(question, default=default, show_default=bool(default), err=True)
            ).strip()
            problem = check(answer)
            if not problem:
                return answer
            self._cli.note(problem)


def _print_next(cli: Cli, file: str, case: str) -> None:
    cli.out.print(Text("✓ ", style="green").append(f"{clean(file)}", style="bold default"))
    cli.out.print(Text("✓ ", style="green").append(f"{clean(case)}", style="bold default"))
    cli.out.print(Text("\nNow edit it, and check it as often as you like:", style="default"))
    for line in (f"pao catalog preview {file}", f"pao catalog validate {file}"):
        cli.out.print(Text(f"  {clean(line)}", style="cyan"), soft_wrap=True)
    cli.out.print(Text(f"  pao catalog test {clean(file)} --update", style="cyan"), soft_wrap=True)


def _suggested_id(category: str, name: str) -> str:
    singular = (
        re.sub(r"ies$", "y", category).removesuffix("s") if category[-1:] == "s" else category
    )
    words = re.findall(r"[a-z0-9]+", name.lower())
    rest = [word for word in words if word not in {singular, category}] or ["service"]
    parts = [singular, *rest]
    return "-".join(parts if len(parts) >= _ID_PARTS else [*parts, "standard"])


def _some(answer: str) -> str:
    return "" if answer.strip() else "a value is required"


def _plain(answer: str) -> str:
    return "a name is no template; leave out {{" if "{{" in answer else _some(answer)


def _any(_answer: str) -> str:
    return ""


def _word(answer: str) -> str:
    return "" if _WORD.fullmatch(answer) else "use lowercase letters, digits and hyphens"


def _identifier(answer: str) -> str:
    if not _WORD.fullmatch(answer) or answer.count("-") < _ID_PARTS - 1:
        return "use three words joined by hyphens, such as database-postgresql-standard"
    return ""


def _about(answer: str) -> str:
    if _SHORTEST <= len(answer) <= _LONGEST:
        return ""
    return f"{len(answer)} characters; write {_SHORTEST} to {_LONGEST}"


def _key(answer: str) -> str:
    good = re.fullmatch(r"[A-Z][A-Z0-9_]{1,9}", answer)
    return "" if good else "enter the key of a JIRA project, such as DB"
