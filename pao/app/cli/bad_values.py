"""What is wrong with the value of an option or argument, in the words of this command line."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from catalog.suggestions import did_you_mean

_CHOICE = re.compile(r"(?:Value error, )?'(.*)' is not one of ('.*')\.?", re.DOTALL)
_WORDS = (
    # What the library of the command line says, and what is said here.
    (re.compile(r"Input should be a valid integer.*", re.DOTALL), "it must be a whole number"),
    (re.compile(r"Input should be a valid number.*", re.DOTALL), "it must be a number"),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"it must be at least \1"),
    (re.compile(r"Input should be less than or equal to (\S+)"), r"it must be at most \1"),
    (re.compile(r"Input should be greater than (\S+)"), r"it must be more than \1"),
    (re.compile(r"Input should be less than (\S+)"), r"it must be less than \1"),
    (re.compile(r"Input should be (?:a valid )?"), "it must be "),
    (re.compile(r"Value error, "), ""),
)


@contextmanager
def said_in_our_words() -> Iterator[None]:
    """Raise what is wrong with a value again, in other words."""
    try:
        yield
    except typer.BadParameter as error:
        error.message = _in_our_words(error.message)
        raise


def _in_our_words(message: str) -> str:
    if choice := _CHOICE.fullmatch(message):
        given, words = choice[1], re.findall(r"'([^']*)'", choice[2])
        # One character is near every other one.
        meant = did_you_mean(given, words) if len(given) > 1 else ""
        return f"{given!r} is not one of {', '.join(words)}{meant}"
    for theirs, ours in _WORDS:
        if theirs.match(message):
            return theirs.sub(ours, message, count=1)
    return message
