"""The findings of an attempt's look; if the attempt fails, its failure must include them."""

from dataclasses import dataclass
from typing import Any

from activities.action_errors import ActionError, IncompleteError, NothingToAdoptError
from activities.base import Action
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.failures import PartialResource


@dataclass(slots=True)
class LookFindings:
    """The answer of a look: nothing, an effect, or a part of one; unanswered until noted.

    ``parts`` are the parts, and partial resources of earlier attempts that are not adopted.
    """

    answered: bool = False
    whole: bool = False
    found: ActionResult | None = None
    incomplete: bool = False
    acted: bool = False
    parts: tuple[PartialResource, ...] = ()

    def note_answer(self, found: ActionResult | None) -> None:
        """Note that the target has answered: nothing else exists than what was found."""
        self.answered = self.whole = True
        self.found = found
        self.parts = tuple(found.partial) if found is not None else ()

    def note_part(self, error: IncompleteError) -> None:
        """Note that the target has only a part of the effect."""
        self.answered, self.whole, self.parts = True, error.whole, error.partial
        self.incomplete = True

    def note_left(self, error: NothingToAdoptError) -> None:
        """Note what earlier attempts have left in the target."""
        self.parts = (*self.parts, *error.partial)

    def add_to(self, error: ActionError, action: Action[Any]) -> None:
        """Add to an error what exists, and that earlier doubts are resolved."""
        nothing = self.found is None and not self.incomplete and not self.parts
        error.absent = self.answered and nothing
        error.answered = error.answered or self.answered or error.whole
        if error.whole:
            return
        error.whole = self.whole
        error.partial = (*self.parts, *self._found_as_partial(action), *error.partial)

    def _found_as_partial(self, action: Action[Any]) -> tuple[PartialResource, ...]:
        found = self.found
        if found is None:
            return ()
        cleanup = found.cleanup or action.cleanup(found)
        if not (found.external_reference or found.url or cleanup):
            return ()
        left = PartialResource(
            type=action.resource_type,
            id=found.external_reference,
            url=found.url,
            cleanup=cleanup,
        )
        return (left,)
