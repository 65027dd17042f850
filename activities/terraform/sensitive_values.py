"""Finds and masks values that Terraform marks as sensitive: its JSON shows them in clear."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from activities.terraform.hcl import HclBlock
from pao.runtime.masking import SHORTEST_WITHIN_VALUE, SecretMasks

_CREDENTIAL = re.compile(
    r"(?:^|_)(?:SECRET|TOKEN|PASSWORD|PASSWD|KEY|CREDENTIALS?|AUTH|SAS|PAT|DSN|CONN_STR)(?:_|$)",
    re.IGNORECASE,
)


class SensitiveValues:
    """Adds sensitive texts to the masks that hide them in everything an execution reports."""

    def __init__(self, masks: SecretMasks) -> None:
        self._masks = masks

    def learn(self, value: Any) -> None:
        """Mask every text and number in this value from now on."""
        for text in _leaves(value):
            self._masks.add(text)

    def learn_environment(self, environment: Mapping[str, str]) -> None:
        """Learn the operator's credentials: values of variables whose name suggests one."""
        for name, value in environment.items():
            if _CREDENTIAL.search(name) and len(value) >= SHORTEST_WITHIN_VALUE:
                self.learn(value)

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
        """Learn what the values of a state, as printed by ``show -json``, mark as sensitive."""
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
    """Return every resource in the values of a plan or state, those of modules included."""
    modules = [values.get("root_module", {})]
    while modules:
        module = modules.pop(0)
        yield from module.get("resources", ())
        modules += module.get("child_modules", ())


def sensitive_variables(files: Mapping[str, HclBlock]) -> set[str]:
    """Find the variables that a module declares sensitive, before Terraform has read it.

    Only to hide their values in errors of the plan; later, Terraform reports them.
    """
    return {
        block.labels[0]
        for content in files.values()
        for block in content.blocks
        if block.type == "variable" and block.labels and _is_sensitive(block)
    }


def _is_sensitive(variable: HclBlock) -> bool:
    literal = {one.name: one.text for one in variable.attributes}.get("sensitive", "false")
    return literal.strip('()" ') != "false"


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
