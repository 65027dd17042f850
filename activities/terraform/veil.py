"""Which values Terraform calls sensitive, and hiding them: its JSON shows them in clear."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from activities.masking import SecretRing

_VARIABLE = re.compile(r'^\s*variable\s+"?([\w-]+)"?\s*\{', re.MULTILINE)
_SENSITIVE = re.compile(r"^\s*sensitive\s*=\s*true\b", re.MULTILINE)


class Veil:
    """Learns sensitive texts for the ring that masks all that an execution tells."""

    def __init__(self, ring: SecretRing) -> None:
        self._ring = ring

    def learn(self, value: Any) -> None:
        """Have every text and number in this value masked from now on."""
        for text in _leaves(value):
            self._ring.add(text)

    def learn_plan(self, plan: dict[str, Any]) -> None:
        """Learn all that a plan in JSON marks: variables, attributes, outputs."""
        declared = plan.get("configuration", {}).get("root_module", {}).get("variables", {})
        for name, variable in plan.get("variables", {}).items():
            if declared.get(name, {}).get("sensitive"):
                self.learn(variable.get("value"))
        for change in _changes(plan):
            self.learn_marked(change.get("before"), change.get("before_sensitive"))
            self.learn_marked(change.get("after"), change.get("after_sensitive"))
        for part in ("planned_values", "prior_state"):
            values = plan.get(part, {})
            self.learn_values(values.get("values", values))

    def learn_values(self, values: dict[str, Any]) -> None:
        """Learn what the values of a state, as ``show -json`` gives them, mark."""
        for output in values.get("outputs", {}).values():
            if output.get("sensitive"):
                self.learn(output.get("value"))
        for resource in resources_in(values):
            self.learn_marked(resource.get("values"), resource.get("sensitive_values"))

    def learn_marked(self, value: Any, marks: Any) -> None:
        """Learn the parts of ``value`` where ``marks``, of the same shape, says true."""
        if marks is True:
            self.learn(value)
        elif isinstance(marks, dict) and isinstance(value, dict):
            for key, mark in marks.items():
                self.learn_marked(value.get(key), mark)
        elif isinstance(marks, list) and isinstance(value, list):
            for member, mark in zip(value, marks, strict=False):
                self.learn_marked(member, mark)


def resources_in(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give every resource in the values of a plan or state, those of modules included."""
    modules = [values.get("root_module", {})]
    while modules:
        module = modules.pop(0)
        yield from module.get("resources", ())
        modules += module.get("child_modules", ())


def sensitive_variables(folder: Path) -> set[str]:
    """Find the variables that a module declares sensitive, before Terraform has read it.

    Only to hide their values in errors of the plan; from the plan on Terraform's word counts.
    """
    names: set[str] = set()
    for file in folder.glob("*.tf"):
        text = file.read_text(encoding="utf-8", errors="replace")
        found = list(_VARIABLE.finditer(text))
        ends = [*(match.start() for match in found[1:]), len(text)]
        for match, end in zip(found, ends, strict=False):
            if _SENSITIVE.search(text, match.end(), end):
                names.add(match[1])
    for file in folder.glob("*.tf.json"):
        names |= _sensitive_in_json(file)
    return names


def _sensitive_in_json(file: Path) -> set[str]:
    try:
        variables = json.loads(file.read_bytes())["variable"]
        return {name for name, told in variables.items() if told.get("sensitive")}
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()  # Terraform itself will say what is wrong with it.


def _changes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in ("resource_changes", "resource_drift"):
        for resource in plan.get(part) or ():
            yield resource.get("change", {})
    yield from (plan.get("output_changes") or {}).values()


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)
