"""Collects what a rendering derives from secrets, so that it can be masked wherever it appears."""

from collections.abc import Callable, Mapping
from typing import Any

from catalog.templating.contract import SecretValue
from catalog.templating.values import is_number, number_text

Learn = Callable[[str], None]
"""Called with each text that was made from a secret."""

# A function's result that is not written itself is learnt from this length on: shorter ones, such
# as the scheme of an address, would mask unrelated text.
SHORTEST_PART = 8
_SHORTEST_NUMBER = 1000
# The result of a comparison, or the scheme of an address, reveals nothing of a secret's text.
_HARMLESS = frozenset({"true", "false", "null", "none", "yes", "no", "http", "https", ""})


class TaintTracker:
    """Calls ``learn`` with every text that contains part of a secret; does nothing without it."""

    def __init__(self, learn: Learn | None) -> None:
        self._learn = learn
        self._run: list[str] = []

    @property
    def is_enabled(self) -> bool:
        """Whether secrets are tracked."""
        return self._learn is not None

    def result(self, value: Any) -> None:
        """Record what a function has made of a secret."""
        if self._learn and isinstance(value, str) and len(value) >= SHORTEST_PART:
            self._learn(str(value))

    def output(self, value: Any, written: str) -> None:
        """Record a value that holds a secret, and how it was written."""
        if self._learn is None:
            return
        for text in _secret_texts(value, inside=False):
            self._record(text)
        if isinstance(value, SecretValue):
            self._record(written)
            self._run.append(written)

    def block(self, written: str) -> None:
        """Record the output of a block over a secret."""
        self._record(written)

    def text(self) -> None:
        """Note that something else was written: the run of adjacent values ends here."""
        if len(self._run) > 1:
            self._record("".join(self._run))
        self._run.clear()

    def _record(self, text: str) -> None:
        if not self._learn or text.strip().casefold() in _HARMLESS:
            return
        self._learn(text)
        if text.endswith("\N{HORIZONTAL ELLIPSIS}"):
            self._learn(text[:-1])


def _secret_texts(value: Any, *, inside: bool) -> list[str]:
    """Return the secret texts and larger numbers of a value; ``inside`` of a secret all."""
    if isinstance(value, SecretValue):
        return _secret_texts(value.value, inside=True)
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _secret_texts(one, inside=inside)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in _secret_texts(one, inside=inside)]
    if inside and isinstance(value, str):
        return [str(value)]
    if inside and is_number(value) and abs(value) >= _SHORTEST_NUMBER:
        return [number_text(value)]
    return []
