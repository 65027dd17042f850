"""Collects what a template writes; other targets escape values in classes of their own."""

from typing import Any

from catalog.templating.limits import TEXT_BYTES, Budget, size_of, too_long
from catalog.templating.values import text_of


class Writer:
    """Collects the output of the target none; the other targets escape values."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._parts: list[str] = []
        self._room = TEXT_BYTES

    @property
    def empty(self) -> bool:
        """Return whether nothing was written so far."""
        return self._room == TEXT_BYTES

    @property
    def parts(self) -> int:
        """Return how many pieces were written so far."""
        return len(self._parts)

    def since(self, parts: int) -> str:
        """Return what was written after so many pieces."""
        return "".join(self._parts[parts:])

    def text(self, text: str) -> None:
        """Write text of the template, or text that needs no escaping."""
        self._room -= len(text) if text.isascii() else size_of(text)
        if self._room < 0:
            raise too_long()
        self._parts.append(text)

    def value(self, value: Any) -> None:
        """Write an unwrapped value."""
        self.text(self.escape(value))

    def trusted_value(self, value: Any) -> None:
        """Write an unwrapped value that the author or the operator has set."""
        self.value(value)

    def escape(self, value: Any) -> str:
        """Return a value as literal text in the target."""
        return value if type(value) is str else text_of(value, self.budget)

    def result(self) -> str:
        """Return everything that was written."""
        return "".join(self._parts)
