"""Rules about the title of an item's requests."""

from collections.abc import Iterator

from catalog.forms import FieldType
from catalog.templating.names import ALIASES
from catalog.titles import READABLE_SCOPES, is_hidden
from catalog.validation.subject import Problem, Subject
from catalog.validation.templates import TITLE


def readable_titles(subject: Subject) -> Iterator[Problem]:
    """Require that a title is made of the form, the metadata and the request, without secrets.

    It is made before anything runs, and everybody who sees the request reads it: no password, no
    file, and not all fields at once if one of them is either.
    """
    hidden = {one.id: one.type for one in subject.item.fields if is_hidden(one)}
    for placed in subject.templates:
        if placed.path == TITLE and placed.found:
            for use in dict.fromkeys(placed.found.uses):
                message = _objection(use, hidden)
                if message:
                    yield Problem(placed.path, message)


def _objection(use: tuple[str, ...], hidden: dict[str, FieldType]) -> str | None:
    scope, name = ALIASES.get(use[0], use[0]), ".".join(use)
    if scope not in READABLE_SCOPES:
        return f"a title is made before anything runs: it cannot read {name}"
    if use[:2] == ("request", "title"):
        return "a title cannot be made of itself"
    path = ("fields", *use[2:]) if use[:2] == ("request", "data") else use
    if path[:1] == ("request",) and path[1:] in ((), ("*",)):
        path = ("fields",)
    if path[0] != "fields":
        return None
    read = path[1:2] if path[1:] and path[1] != "*" else tuple(hidden)
    shown = ", ".join(f"{one} ({hidden[one]})" for one in read if one in hidden)
    return f"{name} would show {shown} to everybody who sees the request" if shown else None
