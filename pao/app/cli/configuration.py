"""`pao config check, show`, and the settings of the commands that need them."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.jira_check import EscalationCheck, check_escalation
from pao.app.cli.tables import Column, Fit, Table
from pao.app.cli.unknown_words import unknown_word

if TYPE_CHECKING:
    from pao.settings import Process, Settings

_ESCALATING = frozenset({"api", "worker"})

app = typer.Typer(
    no_args_is_help=True, help="Check and show the configuration of a process (environment)."
)

ForOption = Annotated[
    str, typer.Option("--for", metavar="PROCESS", help="api, worker, release, keys or database.")
]


def settings_for(process: "Process", environ: Mapping[str, str]) -> "Settings":
    """Return the settings of a process; problems end the command with exit code 2."""
    from pao.settings import ConfigurationError, load_settings  # noqa: PLC0415 -- pydantic: 0.3 s

    try:
        return load_settings(environ, process=process)
    except ConfigurationError as error:
        count = len(error.problems)
        raise CliError(
            f"The configuration has {count} problem{'s' if count > 1 else ''}; nothing was started",
            exit_code=ExitCode.USAGE,
            details=tuple(error.problems),
            hint="Correct these environment variables, then run `pao config check`.",
        ) from error


@command(app, "check")
def check(
    cli: CommandContext,
    *,
    process: ForOption = "api",
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Do not ask JIRA whether it accepts escalation tickets."),
    ] = False,
) -> None:
    """Check the configuration without starting; exits with 2 and every problem.

    For api and worker, JIRA is asked whether it accepts escalation tickets as configured.
    """
    settings = settings_for(_process(process), os.environ)
    asks_jira = process in _ESCALATING and not offline
    found = check_escalation(settings) if asks_jira else EscalationCheck(unanswered="")
    if found.problems:
        raise CliError(
            "JIRA would refuse escalation tickets as they are configured",
            exit_code=ExitCode.USAGE,
            details=found.problems,
            hint="Correct these environment variables, then run `pao config check`.",
        )
    if found.unanswered:
        cli.note(f"Escalations were not checked: {found.unanswered}")
    scripts = _missing_scripts(settings) if process == "api" else []
    if scripts:
        cli.note(
            f"The pages will not update by themselves: {' and '.join(scripts)} could not be "
            "fetched when PAO was built. Build it where npm, or pip, reaches a registry."
        )
    cli.show(
        {
            "valid": True,
            "process": process,
            "escalation": found.state,
            "missingScripts": scripts,
        },
        lambda: cli.out.print(Text(f"✓ The configuration of {process} is valid.", style="green")),
    )


def _missing_scripts(settings: "Settings") -> list[str]:
    from pao.app.local.web_scripts import missing  # noqa: PLC0415 -- of one process only

    return missing() if settings.web.enabled else []


@command(app, "show")
def show(cli: CommandContext, *, process: ForOption = "api") -> None:
    """Show the effective configuration; secrets are masked."""
    values = settings_for(_process(process), os.environ).masked()
    cli.show_table(values, list(values.items()), _VALUES, empty="")


def _process(name: str) -> "Process":
    from pao.settings import Process  # noqa: PLC0415 -- pydantic, see above

    for known in get_args(Process):
        if name == known:
            found: Process = known
            return found
    raise unknown_word("--for", name, get_args(Process))


def _value(pair: tuple[str, str]) -> Text | str:
    return pair[1] or Text("-", "bright_black")


def _origin(pair: tuple[str, str]) -> str:
    return "set" if os.environ.get(pair[0]) else ""


_VALUES: Table[tuple[str, str]] = Table(
    (
        Column("NAME", lambda pair: pair[0]),
        Column("VALUE", _value, fit=Fit.FOLD),
        Column("", _origin, drop_order=1),
    ),
    ident=lambda pair: pair[0],
)
