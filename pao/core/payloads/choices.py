"""The choices of a form's field, fetched by the worker from an HTTP interface."""

from dataclasses import dataclass, field
from typing import Any

from pao.core.payloads.actions import ActionInput


@dataclass(frozen=True)
class ChoicesQuestion:
    """The call that is made, and the JSONPaths that find the choices in its answer."""

    call: ActionInput
    select: str
    value: str
    label: str | None = None


@dataclass(frozen=True)
class ChoicesAnswer:
    """The choices as value and label, or why there are none."""

    choices: list[dict[str, Any]] = field(default_factory=list)
    problem: str | None = None
