"""Generated values for a trial: outputs of actions, variables of the environment."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from catalog.loading import walk_texts
from catalog.scopes import ScopeContext
from catalog.templating import environment_variables

_ADDRESS = re.compile(r"(?:^|_)(?:ADDRESS|API|BASE|ENDPOINT|HOST|SERVER|URI|URL)(?:$|_)")
_AN_ADDRESS = "https://example.com"
_KINDS: Mapping[str, Any] = {
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": [],
    "object": {},
}


def outputs_of(
    schema: Mapping[str, Any], action_id: str, config: Mapping[str, Any], named: list[str]
) -> dict[str, Any]:
    """Make outputs up that an action promises: by its type, by ``response.extract``, by name.

    Each is of the type that is promised; a text shows what it stands for.
    """
    made = {name: f"<{action_id}.{name}>" for name in named}
    for name, part in (schema.get("properties") or {}).items():
        examples = part.get("examples") or ()
        made[name] = next(iter(examples), _of_kind(part.get("type"), action_id, name))
    for name, kind in _extracted_outputs(config):
        made[name] = _of_kind(kind, action_id, name)
    return made


def with_variables(
    scope_context: ScopeContext, config: Any, given: Mapping[str, str]
) -> ScopeContext:
    """Return the context with these variables, and one made up for each that is read."""
    read = {name for _, text in walk_texts(config) for name in environment_variables(text)}
    made = {name: _AN_ADDRESS if _ADDRESS.search(name) else f"<{name}>" for name in read}
    return replace(scope_context, variables={**made, **scope_context.variables, **given})


def _of_kind(kind: Any, action_id: str, name: str) -> Any:
    shown = f"<{action_id}.{name}>"
    return _KINDS.get(kind, shown) if isinstance(kind, str) else shown


def _extracted_outputs(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a call reads from its answer, each with its type where the document says one."""
    response = config.get("response")
    extract = response.get("extract") if isinstance(response, Mapping) else None
    for name, about in extract.items() if isinstance(extract, Mapping) else ():
        yield name, about.get("type") if isinstance(about, Mapping) else None
