"""The type of the language's functions. The functions themselves are listed in the package."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from catalog.templating.limits import Budget


class FunctionContext(Protocol):
    """What functions may use besides their arguments."""

    budget: Budget

    def request_id(self) -> str:
        """Return the request's id; raises template-undefined without one."""
        ...

    def request_time(self) -> str:
        """Return the request's time as RFC 3339; raises template-undefined without one."""
        ...


class OptionalArguments(StrEnum):
    """Which arguments may be missing."""

    NONE = "none"
    FIRST = "first"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Function:
    """A function with the number of its arguments; ``most`` None means any number.

    It is called with the context and the arguments. A ``structural`` one only passes values on, so
    it gets secrets wrapped; for all others they are unwrapped and the result is secret.
    """

    call: Callable[..., Any]
    least: int
    most: int | None
    structural: bool = False
    optional: OptionalArguments = OptionalArguments.NONE
    literal_first: bool = False
