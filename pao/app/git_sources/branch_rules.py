"""Whether the branch of the catalog demands that code owners approve: asked once per poll."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from catalog.ownership import OwnershipMode
from catalog.sources.source import SourceUnavailableError

_PROTECTED = "protected"


class BranchUnprotectedError(SourceUnavailableError):
    """The branch takes changes without its code owners, so nothing new is taken over from it."""

    cause: ClassVar[str] = "unprotected"


@dataclass(frozen=True, slots=True)
class RulesFound:
    """What the rules say: a notice for operators, and what is remembered of it."""

    notice: str | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)


class BranchRules:
    """Judges one branch; ``ask`` calls the forge, and returns whether it demands code owners.

    None says that we may not ask. ``place`` is where the forge keeps such a rule.
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

    async def judge(self, memory: Mapping[str, Any], *, ask: bool, new: bool) -> RulesFound:
        """Return what the rules say, or said when they were asked last.

        Raises ``BranchUnprotectedError`` where something ``new`` must not be taken over.
        """
        if self._mode is OwnershipMode.OFF:
            return RulesFound()
        before = memory.get(_PROTECTED)
        protected = await self._ask() if ask or not isinstance(before, bool) else before
        if protected:
            return RulesFound(memory={_PROTECTED: True})
        told = (
            f"The branch {self._branch} takes changes that no code owner has approved: demand "
            f"reviews by code owners in {self._place}."
        )
        if protected is None:
            told = (
                f"Our credentials may not read the rules of the branch {self._branch}, so nobody "
                "knows whether code owners approve: give them the role that may, or check that the "
                "plan of the repository has such rules."
            )
        if new and self._mode is OwnershipMode.REFUSE:
            raise BranchUnprotectedError(f"{told} Until then nothing new is taken over.")
        return RulesFound(told, {} if protected is None else {_PROTECTED: False})
