"""Did you mean: refusals of a word that is none of the known ones."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

from catalog.suggestions import did_you_mean
from pao.app.cli.exits import CliError, ExitCode

_BEGINNING = 3

Word = TypeVar("Word", bound=StrEnum)


def words(option: str, given: Iterable[str] | None, known: type[Word]) -> list[Word]:
    """Read the values of an option that may be repeated or separated by commas.

    Raises ``CliError`` for the first one that is not known.
    """
    found = dict.fromkeys(
        part.strip() for text in given or () for part in text.split(",") if part.strip()
    )
    return [known(one) if one in set(known) else _refuse(option, one, known) for one in found]


def unknown_word(what: str, given: str, known: Sequence[str]) -> CliError:
    """Return the refusal of a word, with the nearest known one and all of them."""
    begun = [word for word in known if len(given) >= _BEGINNING and word.startswith(given)]
    meant = f"; did you mean {begun[0]!r}?" if len(begun) == 1 else did_you_mean(given, known)
    return CliError(
        f"{what} {given!r} is not known{meant}",
        exit_code=ExitCode.USAGE,
        hint=f"Known: {', '.join(known)}" if known else None,
    )


def _refuse(option: str, given: str, known: type[Word]) -> Word:
    raise unknown_word(option, given, [one.value for one in known])
