"""The components of a bundle as a person reads them: a tree, each with its actions and failure."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from pao.app.cli.request_table import SHORT
from pao.app.cli.terminal import MARKS, STYLES, clean, pad
from pao.app.cli.wrapping import Line, beside

DIM = "bright_black"

Document = Mapping[str, Any]


def tree(request: Document, tickets: Document, width: int | None) -> Iterator[Line]:
    """Draw the components of a bundle; nothing for any other request."""
    components = request.get("components") or []
    if components:
        yield Text()
    name_width = max((cell_len(_name(one)) for one in components), default=0)
    length = None if width is None else SHORT
    for number, component in enumerate(components):
        last = number == len(components) - 1
        ident = clean(component.get("requestId"))[:length]
        yield _component(component, ident, name_width, last=last)
        trunk = "   " if last else "│  "
        for action in component.get("actions") or []:
            line, url = _action(action, trunk, tickets), Text(clean(action.get("url")), style=DIM)
            yield from beside(line, url, width, indent=f"  {trunk}     ") if url else [line]
        yield from _failure(component, ident, trunk)


def _name(component: Document) -> str:
    return clean(component.get("name") or component.get("id"))


def _component(component: Document, ident: str, width: int, *, last: bool) -> Text:
    status = clean(component.get("status"))
    style = STYLES.get(status, "")
    line = Text(f"  {'└' if last else '├'}─ ", style=DIM)
    line.append(f"{MARKS.get(status, '?')} ", style=style)
    line.append(pad(_name(component), width), style="bold")
    status_text = f"{status}, being retried" if component.get("retrying") else status
    line.append(f"  {status_text}", style=style)
    line.append(f"  {ident}", style="default")
    after = ", ".join(clean(one) for one in component.get("dependsOn") or [])
    if after:
        line.append(f"  after {after}", style=DIM)
    return line


def _action(action: Document, trunk: str, tickets: Document) -> Text:
    status = clean(action.get("status"))
    line = Text(f"  {trunk}   ", style=DIM)
    line.append(f"{MARKS.get(status, '?')} ", style=STYLES.get(status, ""))
    line.append(clean(action.get("name") or action.get("id")))
    if action.get("externalReference"):
        line.append(f"  {clean(action['externalReference'])}", style="bold default")
        live = tickets.get(action["externalReference"]) or {}
        if live.get("live"):
            line.append(f"  [{clean(live.get('status'))}]", style="cyan")
    return line


def _failure(component: Document, ident: str, trunk: str) -> Iterator[Text]:
    """Explain a failed component, and show how to decide about it."""
    if component.get("status") != "failed" or component.get("retrying"):
        return
    error = component.get("error") or {}
    for part in clean(error.get("message"), multiline=True).splitlines()[:6]:
        yield Text(f"  {trunk}   ", style=DIM).append(part, style="red")
    command = f"pao request retry {ident} --reason '...'"
    yield Text(f"  {trunk}   ", style=DIM).append(command, style="default")
