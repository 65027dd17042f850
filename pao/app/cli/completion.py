"""What the shell completes: items, fields and their choices, requests, profiles, words.

It is silent and waits only briefly: if the service is unavailable or refuses, nothing is completed.
"""

import contextlib
import io
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pao.app.cli.profiles import find_target, profile_file
from pao.app.cli.request_table import SHORT
from pao.app.cli.terminal import clean, segment
from pao.core.states import RequestStatus

if TYPE_CHECKING:
    from pao.app.cli.http import Api

Completions = list[tuple[str, str]]
Complete = Callable[[typer.Context, str], Completions]

BASH, ZSH = "complete_bash", "complete_zsh"
VARIABLE = "_PAO_COMPLETE"

_SECONDS = 1.5
_MAX_ROWS = 100
_ARGUMENTS = re.compile(r"_arguments '\*: :\(\((.*)\)\)'\s*\Z", re.DOTALL)
_VALUE = re.compile(r'^"((?:[^"]|"")*)"', re.MULTILINE)
_RUN_NOW = '_pao_completion "$@"'


def items(ctx: typer.Context, incomplete: str) -> Completions:
    """Return the items that the caller may request, with their names."""
    return _complete(ctx, lambda api: _items(api, incomplete))


def fields(ctx: typer.Context, incomplete: str) -> Completions:
    """Return ``NAME=`` of the item's fields, or ``NAME=CHOICE`` once a name is there."""
    return _complete(ctx, lambda api: list(_fields(_schema(ctx, api), incomplete)))


def requests(ctx: typer.Context, incomplete: str) -> Completions:
    """Return the newest requests, with their states and titles."""
    return _requests(ctx, incomplete)


def failed_requests(ctx: typer.Context, incomplete: str) -> Completions:
    """Return the failed requests about which the caller may decide."""
    return _requests(ctx, incomplete, status=[RequestStatus.FAILED.value], decidable="me")


def running_requests(ctx: typer.Context, incomplete: str) -> Completions:
    """Return the requests that are in progress."""
    return _requests(ctx, incomplete, status=[RequestStatus.IN_PROGRESS.value])


def actions_of_request(ctx: typer.Context, incomplete: str) -> Completions:
    """Return the actions of the request that the command names, with their names."""
    return _parts_of_request(ctx, incomplete, lambda one: [*one["actions"], *_of_components(one)])


def components_of_request(ctx: typer.Context, incomplete: str) -> Completions:
    """Return the components of the bundle that the command names, with their names."""
    return _parts_of_request(ctx, incomplete, lambda one: one.get("components") or ())


def profiles(_ctx: typer.Context, _incomplete: str) -> Completions:
    """Return the profiles of the user's file, with their endpoints."""
    try:
        stored = tomllib.loads(profile_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [(name, str(one.get("endpoint", ""))) for name, one in stored.items()]


def action_types(_ctx: typer.Context, _incomplete: str) -> Completions:
    """Return the action types of this installation, with what they do."""
    from activities.registry import loaded  # noqa: PLC0415 -- pydantic: 0.3 s

    with contextlib.suppress(Exception):
        return [(name, one.summary) for name, one in sorted(loaded().actions.items())]
    return []


def comma_separated(known: type[StrEnum]) -> Complete:
    """Return the completion of the last of several words separated by commas."""

    def complete(_ctx: typer.Context, incomplete: str) -> Completions:
        done, comma, _ = incomplete.rpartition(",")
        given = set(done.split(","))
        return [(f"{done}{comma}{one.value}", "") for one in known if one.value not in given]

    return complete


def join_assignments(environ: MutableMapping[str, str]) -> str:
    """Join words that bash has split at an equals sign; return what it keeps of the last one.

    bash takes ``size=s`` for the three words ``size``, ``=`` and ``s``, and replaces the last one.
    """
    words = environ.get("COMP_WORDS", "").split("\n")
    last = int(environ.get("COMP_CWORD", "0"))
    joined: list[str] = []
    for word in words[: last + 1]:
        if joined and (word == "=" or joined[-1].endswith("=")) and len(joined) > 1:
            joined[-1] += word
        else:
            joined.append(word)
    environ["COMP_WORDS"] = "\n".join(joined)
    environ["COMP_CWORD"] = str(len(joined) - 1)
    name, equals, _ = joined[-1].partition("=")
    return name + equals if equals else ""


def complete_in_bash(run: Callable[[], None]) -> None:
    """Run a completion for bash, and write only what replaces its last word."""
    prefix = join_assignments(os.environ)
    _rewrite(run, lambda text: "".join(f"{x.removeprefix(prefix)}\n" for x in text.splitlines()))


def complete_in_zsh(run: Callable[[], None]) -> None:
    """Run a completion for zsh, without a space after the name of a field, whose value follows."""
    _rewrite(run, without_space_after_names)


def without_space_after_names(text: str) -> str:
    """Return what zsh evaluates, as a command that can omit the space."""
    found = _ARGUMENTS.match(text)
    if found is None:
        return text
    described = found[1].replace("''", "'")
    all_are_names = all(value.endswith("=") for value in _VALUE.findall(described))
    space = "-S ''" if all_are_names else ""
    return f"local -a pao_found; pao_found=({described}); _describe -V pao pao_found {space}\n"


def finish_in_zsh(words: Sequence[str]) -> None:
    """Make zsh complete at the first tab key; the installed script alone only defines how."""
    script = Path.home() / ".zfunc" / "_pao"
    if "--install-completion" in words and script.is_file():
        text = script.read_text(encoding="utf-8")
        if _RUN_NOW not in text:
            script.write_text(f"{text.rstrip()}\n{_RUN_NOW}\n", encoding="utf-8")


def _rewrite(run: Callable[[], None], change: Callable[[str], str]) -> None:
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            run()
    finally:
        sys.stdout.write(change(output.getvalue()))


def _items(api: "Api", incomplete: str) -> Completions:
    rows = api.get("/catalog", limit=200)["data"]
    return [
        (row["id"], clean(row.get("name")))
        for row in rows
        if row["id"].startswith(incomplete) and row.get("requestable", True)
    ]


def _schema(ctx: typer.Context, api: "Api") -> dict[str, Any]:
    # An option without a value ends the parsing of a command line: the arguments remain.
    item = named = str(ctx.args[0])
    if ctx.params.keys() & {"request_id", "request_ids"}:
        item = api.get(f"/requests/{segment(named)}")["catalogItemId"]
    document: dict[str, Any] = api.get(f"/catalog/items/{segment(item)}/schema")
    return document


def _fields(document: dict[str, Any], incomplete: str) -> Iterator[tuple[str, str]]:
    name, equals, _ = incomplete.partition("=")
    for group in document.get("form", document).get("groups", ()):
        for field in group.get("fields", ()):
            about = clean(field.get("name"))
            if not equals:
                yield f"{field['id']}=", about
            elif field["id"] == name:
                yield from _choices(field)


def _choices(field: dict[str, Any]) -> Iterator[tuple[str, str]]:
    from catalog.forms.writing import as_text  # noqa: PLC0415 -- forms take 0.3 s to load

    if field.get("type") == "boolean":
        yield from ((f"{field['id']}={word}", "") for word in ("true", "false"))
    for choice in field.get("enum") or (field.get("validation") or {}).get("enum") or ():
        shown = choice if isinstance(choice, dict) else {"value": choice}
        yield f"{field['id']}={as_text(shown['value'])}", clean(shown.get("label"))


def _requests(ctx: typer.Context, incomplete: str, **query: Any) -> Completions:
    def read(api: "Api") -> Completions:
        rows = api.get("/requests", limit=_MAX_ROWS, **query)["data"]
        return [_request(row, incomplete) for row in rows]

    given = {str(one)[:SHORT] for one in ctx.params.get("request_ids") or ()}
    return [one for one in _complete(ctx, read) if one[0][:SHORT] not in given]


def _parts_of_request(
    ctx: typer.Context, incomplete: str, parts: Callable[[dict[str, Any]], Sequence[dict[str, Any]]]
) -> Completions:
    def read(api: "Api") -> Completions:
        named = ctx.params.get("request_id") or ctx.args[0]
        found = {one["id"]: clean(one.get("name")) for one in parts(_get(api, str(named)))}
        return [(one, name) for one, name in found.items() if one.startswith(incomplete)]

    return _complete(ctx, read)


def _get(api: "Api", request_id: str) -> dict[str, Any]:
    document: dict[str, Any] = api.get(f"/requests/{segment(request_id)}")
    return document


def _of_components(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for component in request.get("components") or ():
        yield from component["actions"]


def _request(row: dict[str, Any], incomplete: str) -> tuple[str, str]:
    # A word longer than a short id is completed to the whole id.
    length = SHORT if len(incomplete) <= SHORT else None
    about = f"{clean(row['status'])}  {clean(row.get('title') or row['catalogItemId'])}"
    return str(row["id"])[:length], about


def _complete(ctx: typer.Context, read: Callable[["Api"], Completions]) -> Completions:
    with contextlib.suppress(Exception), _api(ctx) as api:
        return read(api)
    return []


def _api(ctx: typer.Context) -> "Api":
    from pao.app.cli.http import Api  # noqa: PLC0415 -- httpx: 0.2 s

    target = find_target(
        os.environ,
        profile=_option(ctx, "profile"),
        endpoint=_option(ctx, "endpoint"),
        region=_option(ctx, "region"),
    )
    return Api(target, timeout=_SECONDS, attempts=1)


def _option(ctx: typer.Context, name: str) -> str | None:
    """Return a global option, which may stand before or after the command's name."""
    around: Sequence[Any] = (ctx, ctx.parent, ctx.parent and ctx.parent.parent)
    values = (one.params.get(name) for one in around if one is not None)
    return next((str(value) for value in values if value), None)
