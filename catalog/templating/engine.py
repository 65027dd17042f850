"""The entry points: compile, check, render."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from catalog.templating.contract import MASK, Names, SecretValue, Target, TemplateError
from catalog.templating.wiki import jira_escape

_TAG = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")


def check(template: str, names: Names, target: Target = Target.NONE) -> list[tuple[str, ...]]:
    """Check a template; raises TemplateError for its first error."""
    del names, target
    return [tuple(match[1].split(".")) for match in _TAG.finditer(template)]


def check_when(expression: str, names: Names) -> list[tuple[str, ...]]:
    """Check a condition; raises TemplateError for its first error."""
    return check(expression, names)


def render(
    template: str,
    scopes: Mapping[str, Any],
    names: Names | None = None,
    target: Target = Target.NONE,
    *,
    reveal: bool = True,
) -> Any:
    """Render a template."""
    del names
    if target is Target.NONE and (match := _TAG.fullmatch(template)):
        return _shown(_lookup(match[1], scopes), reveal=reveal)

    def written(match: re.Match[str]) -> str:
        value = _shown(_lookup(match[1], scopes), reveal=reveal)
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return jira_escape(text) if target is Target.JIRA else text

    return _TAG.sub(written, template)


def evaluate_when(expression: str, scopes: Mapping[str, Any], names: Names | None = None) -> bool:
    """Say whether a condition holds."""
    del names
    return bool(_lookup(expression.strip("{} "), scopes))


def render_config(
    config: Any,
    scopes: Mapping[str, Any],
    names: Names | None,
    choose: Callable[[tuple[str | int, ...]], Target],
    *,
    reveal: bool = True,
) -> Any:
    """Render every string value of a configuration, keys excepted."""

    def walk(value: Any, place: tuple[str | int, ...]) -> Any:
        if isinstance(value, str):
            return render(value, scopes, names, choose(place), reveal=reveal)
        if isinstance(value, Mapping):
            return {key: walk(member, (*place, key)) for key, member in value.items()}
        if isinstance(value, list | tuple):
            return [walk(member, (*place, index)) for index, member in enumerate(value)]
        return value

    return walk(config, ())


def _lookup(path: str, scopes: Mapping[str, Any]) -> Any:
    value: Any = scopes
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise TemplateError("template-undefined", f"{path} is not there")
        value = value[part]
    return value


def _shown(value: Any, *, reveal: bool) -> Any:
    if not isinstance(value, SecretValue):
        return value
    return value.value if reveal else MASK
