"""What a form may know besides its values: who fills it in, where and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FormContext:
    """What templates and expressions of a form read besides ``fields``.

    ``scopes`` holds ``request`` (the user and the moment), ``system``, ``metadata`` and
    ``environment``; what is not in it is missing.
    """

    scopes: Mapping[str, Any] = field(default_factory=dict)


NOBODY = FormContext()
