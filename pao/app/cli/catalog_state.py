"""`pao catalog status, refresh`: which revision is served, and reading the source again."""

from typing import Annotated, Any

import typer
from rich.text import Text

from pao.app.cli.context import CommandContext, command
from pao.app.cli.exits import ExitCode
from pao.app.cli.terminal import age, clean

app = typer.Typer()

# A first sync adds everything; -o json has all that the API names.
_MAX_NAMED = 50
_PENDING = "The source is still being read. Check again: pao catalog status"


@command(app, "status")
def status(cli: CommandContext) -> None:
    """Show which revision is served; exits with 1 unless all of the source is."""
    with cli.api() as api:
        document = api.get("/catalog/status")
        if document.get("refused") or document.get("ownership"):
            found = api.get("/catalog/validation-errors")
            document["findings"] = [*found.get("data", []), *found.get("ownership", [])]
    cli.show(document, lambda: _print_status(cli, document))
    if any(
        document.get(key)
        for key in ("problem", "held", "outdated", "notice", "refused", "unreported")
    ):
        raise typer.Exit(ExitCode.FAILED)


@command(app, "refresh")
def refresh(
    cli: CommandContext,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Serve the folder even if it is not newer.")
    ] = False,
    confirm: Annotated[
        str | None,
        typer.Option(metavar="REVISION", help="Serve this revision, though it removes most items."),
    ] = None,
) -> None:
    """Read the source now; exits with 1 if files were refused or it is not served."""
    with cli.api() as api:
        answer = api.post(
            "/catalog/refresh" + ("?force=true" if force else ""),
            {"confirm": confirm} if confirm else None,
        )
    document = answer.document
    cli.show(document, lambda: _print_refresh(cli, document))
    if document.get("pending"):
        cli.note(_PENDING)
    if confirm and document.get("held"):
        cli.note(f"Nothing was changed: {confirm} is not the revision that is held back.")
    if document.get("outdated"):
        cli.note(f"Nothing was loaded: {document['outdated']}")
    if document.get("refused") or document.get("outdated") or document.get("held"):
        raise typer.Exit(ExitCode.FAILED)


def _print_status(cli: CommandContext, document: dict[str, Any]) -> None:
    for name, value in _facts(document).items():
        if value:
            line = Text(f"{name:<9} ", style="bright_black").append(value, "default")
            cli.out.print(line, soft_wrap=True)
    for limit in document.get("limits") or ():
        cli.out.print(Text(f"{'note':<9} ", style="bright_black").append(clean(limit), "default"))
    problem, held = document.get("problem"), document.get("held")
    if problem:
        _warn(cli, f"The source cannot be read: {_problem_text(problem)}")
    for key in ("outdated", "notice"):
        if document.get(key):
            _warn(cli, clean(document[key]))
    if document.get("unreported"):
        _warn(cli, _unreported_text(document["unreported"]))
    if held:
        _print_held(cli, held)
    for one in document.get("findings") or ():
        place = f"{clean(one['file'])}:{one['line']}:{one['column']}"
        cli.out.print(
            Text(place, "red").append(f" {clean(one['message'])}", "default"), soft_wrap=True
        )


def _facts(document: dict[str, Any]) -> dict[str, str]:
    commit = document.get("commit") or {}
    revision = clean(document.get("revision") or "")[:12]
    parts = " ".join(filter(None, (revision, clean(commit.get("subject") or ""))))
    by = f" ({clean(commit['author'])})" if commit.get("author") else ""
    stale = f", {document['stale']} stale" if document.get("stale") else ""
    read_at = document.get("readAt")
    return {
        "source": clean(document.get("source") or "nothing was read yet"),
        "revision": f"{parts}{by}",
        "read": age(read_at) if read_at else "never",
        "items": f"{document.get('items')}{stale}",
        "refused": _files(document["refused"]) if document.get("refused") else "",
        "owners": _differences(document["ownership"]) if document.get("ownership") else "",
    }


def _unreported_text(unreported: dict[str, Any]) -> str:
    number, others = unreported.get("proposal"), unreported["commits"] - 1
    of = f" of request {number}" if number else ""
    more = f" and {others} more" if others else ""
    return (
        f"Not reported to the authors of {clean(unreported['commit'])[:12]}{of}{more}: "
        f"{_problem_text(unreported)}"
    )


def _problem_text(problem: dict[str, Any]) -> str:
    parts = [f"first {age(problem['since'])}"] if problem.get("since") else []
    again = age(problem["until"]) if problem.get("until") else ""
    if again.startswith("in "):
        parts.append(f"polls continue {again}")
    return clean(problem["message"]) + (f" ({'; '.join(parts)})" if parts else "")


def _print_held(cli: CommandContext, held: dict[str, Any]) -> None:
    revision = clean(held["revision"])[:12]
    _warn(
        cli,
        f"Revision {revision} is held back: it would remove {held['removes']} of"
        f" {held['served']} items",
    )
    items = [clean(one) for one in held.get("items") or ()]
    for item in items:
        cli.out.print(Text(f"  {item}"), soft_wrap=True)
    if held["removes"] > len(items):
        cli.out.print(Text(f"  and {held['removes'] - len(items)} more", "bright_black"))
    cli.out.print(Text("To serve it anyway:"), soft_wrap=True)
    cli.out.print(Text(f"  pao catalog refresh --confirm {revision}"), soft_wrap=True)


def _warn(cli: CommandContext, text: str) -> None:
    cli.out.print(Text(text, style="yellow"))


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"


def _differences(count: int) -> str:
    return f"{count} difference{'' if count == 1 else 's'} from CODEOWNERS, reported only"


_CHANGES = {"added": "green", "changed": "cyan", "removed": "yellow", "refused": "red"}


def _print_refresh(cli: CommandContext, document: dict[str, Any]) -> None:
    if held := document.get("held"):
        _print_held(cli, held)
        return
    for kind, style in _CHANGES.items():
        entries = document.get(kind) or []
        if not isinstance(entries, list):
            cli.out.print(Text(f"{kind:<9} {clean(entries)}", style=style))
            continue
        count = len(entries) + (document.get("unnamed") or {}).get(kind, 0)
        cli.out.print(Text(f"{kind:<9} {count}", style=style if count else "bright_black"))
        for entry in entries[:_MAX_NAMED]:
            cli.out.print(Text(f"  {_finding(entry)}"), soft_wrap=True)
        if more := count - len(entries[:_MAX_NAMED]):
            cli.out.print(Text(f"  and {more} more", "bright_black"))


def _finding(entry: Any) -> str:
    if not isinstance(entry, dict):
        return clean(entry)
    place = ":".join(
        clean(entry[key]) for key in ("path", "line", "column") if entry.get(key) is not None
    )
    return f"{place or clean(entry.get('id'))} {clean(entry.get('message'))}".strip()
