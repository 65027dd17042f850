"""Errors for unknown words, with suggestions."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

from catalog.suggestions import did_you_mean
from pao.app.cli.exits import CliError, ExitCode

_MIN_PREFIX = 3

Word = TypeVar("Word", bound=StrEnum)


def read_words(option: str, given: Iterable[str] | None, known: type[Word]) -> list[Word]:
    """Return the values of an option that may be repeated or separated by commas.

    Raises ``CliError`` for the first one that is not known.
    """
    found = dict.fromkeys(
        part.strip() for text in given or () for part in text.split(",") if part.strip()
    )
    return [known(one) if one in set(known) else _refuse(option, one, known) for one in found]


def unknown_word(what: str, given: str, known: Sequence[str]) -> CliError:
    """Return the error for an unknown word, with a suggestion and all known words."""
    prefixed = [word for word in known if len(given) >= _MIN_PREFIX and word.startswith(given)]
    meant = f"; did you mean {prefixed[0]!r}?" if len(prefixed) == 1 else did_you_mean(given, known)
    return CliError(
        f"{what} {given!r} is not known{meant}",
        exit_code=ExitCode.USAGE,
        hint=f"Known: {', '.join(known)}" if known else None,
    )


def _refuse(option: str, given: str, known: type[Word]) -> Word:
    raise unknown_word(option, given, [one.value for one in known])
