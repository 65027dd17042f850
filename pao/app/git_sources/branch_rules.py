"""Checks whether the catalog's branch requires approval by code owners, once per poll."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from catalog.ownership import OwnershipMode
from catalog.sources.source import SourceUnavailableError

_PROTECTED = "protected"


class BranchUnprotectedError(SourceUnavailableError):
    """The branch accepts changes without code owners, so nothing new is taken over from it."""

    cause: ClassVar[str] = "unprotected"


@dataclass(frozen=True, slots=True)
class BranchRuleState:
    """The state of the rules: a notice for operators, and what to remember."""

    notice: str | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)


class BranchRules:
    """Checks one branch; ``ask`` calls the forge and returns whether it requires code owners.

    It returns None if that may not be read. ``place`` is where the forge has such a rule.
    """

    def __init__(
        self,
        mode: OwnershipMode,
        branch: str,
        ask: Callable[[], Awaitable[bool | None]],
        *,
        place: str,
    ) -> None:
        self._mode = mode
        self._branch = branch
        self._ask = ask
        self._place = place

    async def check(self, memory: Mapping[str, Any], *, ask: bool, new: bool) -> BranchRuleState:
        """Return the state of the rules, or the last known one.

        Raises ``BranchUnprotectedError`` if something ``new`` must not be taken over.
        """
        if self._mode is OwnershipMode.OFF:
            return BranchRuleState()
        before = memory.get(_PROTECTED)
        protected = await self._ask() if ask or not isinstance(before, bool) else before
        if protected:
            return BranchRuleState(memory={_PROTECTED: True})
        text = (
            f"The branch {self._branch} accepts changes that no code owner has approved: require "
            f"reviews by code owners in {self._place}."
        )
        if protected is None:
            text = (
                f"Our credentials may not read the rules of the branch {self._branch}, so it is "
                "unknown whether code owners approve: give them a role that may, or check that the "
                "plan of the repository has such rules."
            )
        if new and self._mode is OwnershipMode.REFUSE:
            raise BranchUnprotectedError(f"{text} Until then nothing new is taken over.")
        return BranchRuleState(text, {} if protected is None else {_PROTECTED: False})
