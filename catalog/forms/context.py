"""What a form may know besides its values: who fills it in, where and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.forms.definition import Choice


@dataclass(frozen=True, slots=True)
class OfferedChoices:
    """What the source of a field's choices offers now; ``problem`` says why it offers nothing.

    ``lenient``: while there is a problem, any text may be given.
    """

    choices: tuple[Choice, ...] = ()
    problem: str | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class FormContext:
    """What templates and expressions of a form read besides ``fields``.

    ``scopes`` holds ``request`` (the user and the moment), ``system``, ``metadata`` and
    ``environment``; what is not in it is missing. ``offered`` holds the choices of fields whose
    options come from elsewhere, by the field's path (``rules[0].cluster``): where it says nothing
    of a field, its value is not compared. ``unknown`` are the paths of users and teams that
    do not exist.
    """

    scopes: Mapping[str, Any] = field(default_factory=dict)
    offered: Mapping[str, OfferedChoices] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()


EMPTY_CONTEXT = FormContext()
