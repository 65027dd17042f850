"""What pydantic finds wrong with a document, in the words that people read."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

# Pydantic puts these before what a validator of ours says.
_PREFIXES = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}


def message_of(problem: Mapping[str, Any]) -> str:
    """Return what is wrong; what a validator of ours says stands by itself."""
    return str(problem["msg"]).removeprefix(_PREFIXES.get(problem["type"], ""))


def messages_of(error: ValidationError) -> Iterator[str]:
    """Yield every problem with its place: ``match.method: Input should be a valid string``."""
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(map(str, problem["loc"]))
        yield f"{where}: {message_of(problem)}" if where else message_of(problem)
