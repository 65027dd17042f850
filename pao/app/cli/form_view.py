"""Shows a form in the terminal: groups, inputs, and the constraints of each value."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from catalog.forms import FieldDefinition
from catalog.forms.options import options_origin
from catalog.forms.writing import as_text
from pao.app.cli.constraint_texts import constraint_texts
from pao.app.cli.terminal import clean, pad

WIDTH = 44
_DIM = "bright_black"
_WORDS = {
    "equals": "is",
    "notEquals": "is not",
    "in": "is one of",
    "notIn": "is none of",
    "greaterThan": "is above",
    "lessThan": "is below",
    "contains": "contains",
    "exists": "is given",
}


def with_origins(ui_schema: Any, fields: Iterable[FieldDefinition]) -> dict[str, Any]:
    """Return a drawn form in which options also say, in words, where they come from."""
    definitions = {one.id: one for one in fields}

    def field(one: dict[str, Any], definitions: Mapping[str, FieldDefinition]) -> dict[str, Any]:
        definition = definitions[one["id"]]
        inner = {below.id: below for below in definition.fields}
        more: dict[str, Any] = {}
        if inner:
            more["fields"] = [field(below, inner) for below in one["fields"]]
        if definition.options is not None:
            more["options"] = {
                **one["options"],
                "origin": options_origin(definition.options),
            }
        return {**one, **more}

    groups = [
        {**group, "fields": [field(one, definitions) for one in group["fields"]]}
        for group in ui_schema["groups"]
    ]
    return {**ui_schema, "groups": groups}


def print_form(console: Console, about: Mapping[str, Any], form: Mapping[str, Any]) -> None:
    """Print a form with its title; ``form`` is what the API returns as ``form``."""
    title = Text(clean(about.get("name")), style="bold")
    console.print(title.append(f"  {clean(about.get('version'))}", style="not bold cyan"))
    if about.get("description"):
        console.print(Text(clean(about["description"])))
    groups = form.get("groups") or []
    if not groups:
        console.print(Text("\nThe form asks for nothing.", style=_DIM))
    for number, group in enumerate(groups, start=1):
        _print_group(console, group, _step(form.get("layout"), number, len(groups)))
    for rule in form.get("rules") or []:
        _print_rule(console, rule)
    if any(field.get("required") for group in groups for field in group["fields"]):
        console.print(Text("\n* required", style=_DIM))


def _print_group(console: Console, group: Mapping[str, Any], step: str) -> None:
    console.print()
    title = f"{step}{clean(group['name'])} "
    line = "─" * max(3, WIDTH + 4 - cell_len(title))
    console.print(Text(title, style="bold").append(line, style=f"not bold {_DIM}"))
    if group.get("description"):
        console.print(Text(clean(group["description"]), style=_DIM))
    if group.get("conditional"):
        console.print(Text(f"shown when {_condition(group['conditional'])}", style="yellow"))
    for field in group["fields"]:
        _print_field(console, field)


def _print_rule(console: Console, rule: Mapping[str, Any]) -> None:
    word = "Warning" if rule.get("severity") == "warning" else "Rule"
    line = Text(f"\n{word} ", style="bold").append(clean(rule["id"]), style="not bold cyan")
    when = f" when {clean(rule['when'])}" if rule.get("when") else ""
    console.print(line.append(f"  {clean(rule['check'])}{when}", style="not bold default"))
    console.print(Text(f"  {clean(rule['message'])}", style=_DIM))


def _print_field(console: Console, field: Mapping[str, Any]) -> None:
    console.print()
    console.print(_label(field))
    for line in _input(field):
        console.print(Text("  ").append(line))
    if field.get("description"):
        console.print(Text(f"  {clean(field['description'])}"))
    console.print(Text(f"  {', '.join(_facts(field))}", style=_DIM))
    for inner in field.get("fields") or []:
        _print_row_field(console, inner)


def _print_row_field(console: Console, field: Mapping[str, Any]) -> None:
    """Print a field of a list's rows, in short."""
    mark = " *" if field.get("required") else ""
    definitions = [clean(one["label"]) for one in field.get("enum") or []]
    choices = [f"one of {', '.join(definitions)}"] if definitions else []
    facts = [*_facts(field), *choices, *filter(None, [_default_text(field)])]
    line = Text(f"    · {clean(field['name'])}{mark}  ").append(", ".join(facts), style=_DIM)
    console.print(_with_conditions(line, field))
    if field.get("description"):
        console.print(Text(f"      {clean(field['description'])}"))


def _default_text(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return _computed_text(field) or (
        "" if default is None else f"default {clean(as_text(default))}"
    )


def _label(field: Mapping[str, Any]) -> Text:
    checked = "[x] " if field.get("default") is True else "[ ] "
    box = checked if field.get("component") == "checkbox" else ""
    label = Text(f"  {box}{clean(field['name'])}", style="bold")
    if field.get("required"):
        label.append(" *", style="bold red")
    return _with_conditions(label, field)


def _with_conditions(label: Text, field: Mapping[str, Any]) -> Text:
    """Append when a field must have a value, and when it is shown."""
    if field.get("requiredWhen"):
        label.append(f"   required when {clean(field['requiredWhen'])}", style="not bold yellow")
    if field.get("conditional"):
        label.append(f"   shown when {_condition(field['conditional'])}", style="not bold yellow")
    return label


def _step(layout: object, number: int, count: int) -> str:
    if layout == "wizard":
        return f"Step {number} of {count}: "
    return f"Tab {number}: " if layout == "tabbed" else ""


def _input(field: Mapping[str, Any]) -> Iterator[Text]:
    component, default = field.get("component"), field.get("default")
    choices = field.get("enum") or []
    if component == "checkbox":
        return
    if component == "dropdown":
        labels = {as_text(one["value"]): clean(one["label"]) for one in choices}
        nothing = _computed_text(field) or "choose one"
        chosen = labels.get(as_text(default), as_text(default)) if default is not None else nothing
        yield _box(chosen, dim=default is None, end="▾")
    elif component == "multi-dropdown" and choices:
        given = default if isinstance(default, list) else []
        for one in choices:
            mark = "x" if one["value"] in given else " "
            yield Text(f"[{mark}] {clean(one['label'])}")
    else:
        yield from _text_input(field)
    if component == "dropdown":
        for one in choices:
            yield _choice(one)


def _text_input(field: Mapping[str, Any]) -> Iterator[Text]:
    component, default = field.get("component"), field.get("default")
    empty = {
        "date-picker": "yyyy-mm-dd",
        "password-input": "••••••••",
        "file-upload": "choose a file",
        "code-editor": "{ }",
        "datetime-picker": "yyyy-mm-ddThh:mm:ssZ",
        "time-picker": "hh:mm",
        "duration-input": "1h30m",
        "url-input": "https://",
        "table": "add a row",
    }.get(str(component), "")
    empty = _computed_text(field) or empty
    text = as_text(default) if default is not None else field.get("placeholder") or empty
    yield _box(clean(text), dim=default is None)
    if component in {"textarea", "code-editor"}:
        yield _box("", dim=True)


def _computed_text(field: Mapping[str, Any]) -> str:
    template = field.get("defaultTemplate")
    return f"= {template}" if template else ""


def _box(text: str, *, dim: bool, end: str = "") -> Text:
    room = WIDTH - len(end) - bool(end)
    visible_text = text if len(text) <= room else text[: room - 1] + "…"
    box = Text("│ ", style=_DIM).append(pad(visible_text, room), style=_DIM if dim else "default")
    return box.append(f" {end}" if end else "", style="default").append(" │", style=_DIM)


def _choice(one: Mapping[str, Any]) -> Text:
    value, label = clean(as_text(one["value"])), clean(one["label"])
    line = Text(f"    · {label}")
    return line if value == label else line.append(f"  {value}", style=_DIM)


def _facts(field: Mapping[str, Any]) -> list[str]:
    """Return the constraints of the value, the id first, which templates use."""
    limits = constraint_texts(field.get("validation") or {})
    return [f"{clean(field['id'])}: {clean(field['type'])}", *limits, *_more_facts(field)]


def _more_facts(field: Mapping[str, Any]) -> Iterator[str]:
    """Yield what only some fields have."""
    if field.get("readOnly"):
        yield "read only"
    if "mustBe" in field:
        yield f"must be {as_text(field['mustBe'])}"
    if field.get("uniqueBy"):
        yield f"different by {', '.join(map(clean, field['uniqueBy']))}"
    options = field.get("options")
    if options:
        yield f"options from {clean(options.get('origin') or options['from'])}"
        if options.get("dependsOn"):
            yield f"which depend on {', '.join(map(clean, options['dependsOn']))}"
    for words in constraint_texts(field.get("items") or {}):
        yield f"each {words}"


def _condition(condition: Mapping[str, Any]) -> str:
    for key, word in (("all", " and "), ("any", " or ")):
        if condition.get(key):
            parts = [_condition(part) for part in condition[key]]
            return word.join(f"({part})" if len(parts) > 1 else part for part in parts)
    if condition.get("not"):
        return f"not ({_condition(condition['not'])})"
    name, operator = clean(condition.get("dependsOn")), condition.get("condition", "equals")
    value = condition.get("value")
    if operator == "exists":
        return f"{name} is {'not ' if value is False else ''}given"
    if isinstance(value, list):
        value = ", ".join(as_text(one) for one in value)
    return f"{name} {_WORDS.get(operator, operator)} {clean(as_text(value))}"
