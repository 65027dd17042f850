"""Looks for what earlier attempts made, with the values they sent, and interprets the result."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from activities.action_errors import (
    ActionFailedError,
    IncompleteError,
    NothingToAdoptError,
    RepeatIsSafeError,
)
from activities.base import Action
from pao.core.errors import ErrorCode
from pao.core.failure_classes import BAD_CALL
from pao.core.payloads.actions import ActionResult


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """A configuration that may have had an effect; ``changed`` if another is wanted now."""

    config: Any
    changed: bool = False
    place: str | None = None


@dataclass(slots=True)
class EarlierEffects:
    """What the looks have found; a call with changed values takes precedence.

    ``call`` is the one whose effect, or a part of it, was found. Without ``found``, ``part`` and
    ``repeat`` there is nothing to continue with; ``left`` lists what earlier attempts have left.
    """

    found: ActionResult | None = None
    part: IncompleteError | None = None
    repeat: RepeatIsSafeError | None = None
    left: list[NothingToAdoptError] = field(default_factory=list)
    call: EarlierCall | None = None
    moved: list[str] | None = field(default=None)

    @property
    def is_changed(self) -> bool:
        """Return whether what exists was made with other values than those wanted now."""
        return self.call is not None and self.call.changed

    def contradicts(self, action: Action[Any]) -> bool:
        """Return whether continuing would report an effect with other values as done."""
        if not self.is_changed:
            return False
        return self.found is not None or not action.converges


async def look_for_effects(
    calls: Sequence[EarlierCall], look: Callable[[Any], Awaitable[ActionResult | None]]
) -> EarlierEffects:
    """Look for the effect of each call; raises what a failed look raises."""
    seen = EarlierEffects()
    for call in sorted(calls, key=lambda one: one.changed):
        try:
            found = await look(call.config)
        except RepeatIsSafeError as error:
            seen.repeat, seen.call = error, call
            continue
        except IncompleteError as error:
            seen.part, seen.call = error, call
            continue
        except NothingToAdoptError as error:
            seen.left.append(error)
            continue
        if found is not None:
            seen.found, seen.call = found, call
    return seen


def existing_effect_error(
    seen: EarlierEffects, action: Action[Any], name: str
) -> ActionFailedError:
    """Return the error for a call that was not made because its effect has former values."""
    ways = "Retry with its former values to adopt it as it is"
    if action.can_revise:
        ways += ", retry with mode revise (--revise) to change it to the corrected values"
    return ActionFailedError(
        f"{describe_existing(seen.found, seen.part, name)} {ways}, or abort.",
        code=ErrorCode.EXISTS_WITH_FORMER_VALUES,
        judged=BAD_CALL,
    )


def describe_existing(found: ActionResult | None, part: IncompleteError | None, name: str) -> str:
    """Return what an earlier attempt has made."""
    if found is None and part is not None:
        return f"A part of {name!r} exists with the values of an earlier attempt: {part.message}"
    if found is None:
        return (
            f"An earlier attempt of {name!r} may have taken effect with its former values, and the "
            "target cannot be asked; the corrected call was not made."
        )
    named = " ".join(one for one in (found.external_reference, found.url) if one)
    return (
        f"{name!r} exists with the values of an earlier attempt"
        f"{f' ({named})' if named else ''}; the corrected call was not made."
    )
