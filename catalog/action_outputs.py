"""Outputs that an author named within the configuration of a call, as older documents do."""

from collections.abc import Iterator, Mapping
from typing import Any

_TYPE = "rest-api"
_OUTPUTS = "outputs"
DEPRECATED_KEYS: dict[str, dict[str, Any]] = {
    _TYPE: {
        _OUTPUTS: {
            "title": "Outputs",
            "description": "Write outputs beside config, and where they are found in "
            "response.extract. Here they are accepted with a warning.",
            "deprecated": True,
            "type": ["array", "object"],
        }
    }
}
"""Keys of configurations that documents may still have, by action type, for editors."""
_PATHS = ("path", "jsonPath", "value", "from")


def has_misplaced_outputs(action: Mapping[str, Any]) -> bool:
    """Return whether the plain data of an action has outputs within its configuration."""
    config = action.get("config")
    if action.get("type") != _TYPE or not isinstance(config, dict):
        return False
    return isinstance(config.get(_OUTPUTS), list | dict)


def move_outputs_out_of_config(action: dict[str, Any]) -> dict[str, Any]:
    """Return an action whose outputs stand beside its configuration, as they are read.

    An output with a JSONPath is taken from the answer, as ``response.extract`` says it.
    """
    if not has_misplaced_outputs(action):
        return action
    config = {key: value for key, value in action["config"].items() if key != _OUTPUTS}
    named = [*_outputs_with_paths(action["config"][_OUTPUTS])]
    paths = {name: path for name, path in named if path}
    response = config.get("response")
    if paths and isinstance(response, dict | None):
        extract = (response or {}).get("extract")
        known = extract if isinstance(extract, dict) else {}
        config["response"] = {**(response or {}), "extract": {**paths, **known}}
    own = action.get(_OUTPUTS)
    beside = [*own] if isinstance(own, list) else []
    return {**action, "config": config, _OUTPUTS: [*beside, *(name for name, _ in named)]}


def _outputs_with_paths(outputs: Any) -> Iterator[tuple[str, str | None]]:
    """Yield the name of each output, and where it is in the answer if the document says so."""
    entries = outputs.items() if isinstance(outputs, dict) else ((one, None) for one in outputs)
    for entry, about in entries:
        if isinstance(entry, str):
            yield entry, about if _is_path(about) else None
        elif isinstance(entry, dict) and isinstance(entry.get("name"), str):
            path = next((entry[key] for key in _PATHS if _is_path(entry.get(key))), None)
            yield entry["name"], path


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$")
