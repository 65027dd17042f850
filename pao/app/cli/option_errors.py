"""Rewords the errors of option and argument values."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from catalog.suggestions import did_you_mean

_PREFIX = "Value error, "
_CHOICE = re.compile(r"'(.*)' is not one of ('.*')\.?", re.DOTALL)


@contextmanager
def reworded_errors() -> Iterator[None]:
    """Reword the errors of invalid values."""
    try:
        yield
    except typer.BadParameter as error:
        error.message = _reword(error)
        raise


def _reword(error: typer.BadParameter) -> str:
    # A validator's message may quote what was typed; control characters are escaped here.
    message = error.message.removeprefix(_PREFIX)
    if choice := _CHOICE.fullmatch(message):
        given, words = choice[1], re.findall(r"'([^']*)'", choice[2])
        # One character is similar to every other one.
        meant = did_you_mean(given, words) if len(given) > 1 else ""
        return f"'{given}' is not one of {', '.join(words)}{meant}"
    from pydantic import ValidationError  # noqa: PLC0415 -- 0.1 s, only where something is wrong

    from pao.runtime.model_errors import message_of  # noqa: PLC0415 -- as above

    cause = error.__cause__
    if isinstance(cause, ValidationError) and not error.message.startswith(_PREFIX):
        return f"it {message_of(cause.errors(include_url=False)[0])}"
    return message
