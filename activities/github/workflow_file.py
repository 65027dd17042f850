"""Reads from a workflow's file its inputs, run names, and whether it can be dispatched."""

import re
from dataclasses import dataclass

import yaml

LARGEST = 512 * 1024


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """Whether the workflow can be dispatched, which inputs it declares, how its runs are named."""

    dispatchable: bool
    inputs: frozenset[str] = frozenset()
    run_name: str = ""

    def shows(self, name: str) -> bool:
        """Return whether an input is declared and part of every run's name."""
        wanted = re.compile(rf"\binputs(\.{re.escape(name)}\b|\[['\"]{re.escape(name)}['\"]\])")
        # Each expression separately: one pattern for all would take quadratic time.
        expressions = (one.partition("}}")[0] for one in self.run_name.split("${{")[1:])
        return name in self.inputs and any(map(wanted.search, expressions))


def read_workflow_file(content: bytes) -> WorkflowFile | None:
    """Return a workflow's file; None if it is invalid: GitHub itself will say why.

    Only the tree of nodes is read, so that aliases are not expanded. A large file takes seconds:
    call it in a thread.
    """
    if len(content) > LARGEST:
        return None
    try:
        root = yaml.compose(content.decode(), yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None
    triggers = _member(root, "on")
    dispatch = _member(triggers, "workflow_dispatch")
    run_name = _member(root, "run-name")
    return WorkflowFile(
        dispatchable=dispatch is not None or "workflow_dispatch" in _texts(triggers),
        inputs=frozenset(_keys(_member(dispatch, "inputs"))),
        run_name=run_name.value if isinstance(run_name, yaml.ScalarNode) else "",
    )


def _member(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    for name, value in node.value:
        if isinstance(name, yaml.ScalarNode) and name.value == key:
            found: yaml.Node = value
            return found
    return None


def _keys(node: yaml.Node | None) -> list[str]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return [name.value for name, _ in pairs if isinstance(name, yaml.ScalarNode)]


def _texts(node: yaml.Node | None) -> list[str]:
    if isinstance(node, yaml.ScalarNode):
        return [node.value]
    entries = node.value if isinstance(node, yaml.SequenceNode) else []
    return [entry.value for entry in entries if isinstance(entry, yaml.ScalarNode)]
