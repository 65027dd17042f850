"""Prints what a look has found, and what a retry would do about it."""

from typing import Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext
from pao.app.cli.exits import ExitCode
from pao.app.cli.plan import change_lines, print_actions
from pao.app.cli.retry_options import RetryOptions
from pao.app.cli.terminal import clean


def show_changes(cli: CommandContext, document: dict[str, Any], options: RetryOptions) -> None:
    """Show what a retry would change; exits with 1 when it would be refused."""
    cli.show(document, lambda: _print_changes(cli, document, options))
    if document.get("refusals"):
        raise typer.Exit(ExitCode.FAILED)


def _print_changes(cli: CommandContext, document: dict[str, Any], options: RetryOptions) -> None:
    refusals = document.get("refusals") or ()
    if refusals:
        cli.out.print(Text("✗ The retry would be refused; nothing was decided.", style="red"))
    else:
        cli.out.print(Text("✓ The retry would be accepted; nothing was decided.", style="green"))
    for refusal in refusals:
        cli.out.print(Text(f"  {clean(refusal.get('message'))}", style="red"), soft_wrap=True)
    refused = {refusal.get("actionId") for refusal in refusals}
    for look in document.get("looks") or ():
        cli.out.print(Text(f"  {clean(look.get('actionId'))}: ", style="cyan"), end="")
        print_look(
            cli, look, _retry_effect(look, options, is_refused=look.get("actionId") in refused)
        )
    for line in change_lines(document.get("changes") or {}):
        cli.out.print(line, soft_wrap=True)
    print_actions(cli.out, document.get("actions") or ())


_LOOKS = {
    "found": ("green", "It took effect; a retry adopts it:"),
    "absent": ("yellow", "It did not take effect; a retry does it."),
    "unknown": ("red", "Whether it took effect could not be determined:"),
}


def _retry_effect(look: dict[str, Any], options: RetryOptions, *, is_refused: bool) -> str | None:
    """Return what a retry would do with an existing effect, for a dry run."""
    if look.get("answer") != "found":
        return None
    if is_refused:
        return "It took effect, with the values of an earlier attempt:"
    if options.leave_behind:
        return "It took effect; a retry adopts it, or leaves it behind when it goes elsewhere:"
    if options.revise:
        return "It took effect; a retry changes it to the corrected values:"
    return None


def print_look(cli: CommandContext, document: dict[str, Any], found: str | None = None) -> None:
    """Print what a look has found; ``found`` says what a retry would do with it."""
    answer = clean(document.get("answer"))
    style, sentence = _LOOKS.get(answer, ("default", ""))
    sentence = found or sentence
    if answer == "absent" and document.get("reason"):
        sentence = "It took effect only in part:"
    cli.out.print(Text(f"{answer}  ", style=f"bold {style}").append(sentence, "not bold default"))
    if document.get("reason"):
        cli.out.print(Text(f"  {clean(document['reason'])}"), soft_wrap=True)
    adopted = document.get("wouldAdopt") or {}
    for name in ("externalReference", "url"):
        if adopted.get(name):
            cli.out.print(Text(f"  {clean(adopted[name])}"), soft_wrap=True)
