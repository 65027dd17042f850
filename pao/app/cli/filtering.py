"""`--jq`: filters a document with a jq expression."""

import json
from collections.abc import Callable
from typing import Any

from pao.app.cli.exits import CliError, ExitCode

Program = Callable[[Any], list[str]]


def compile_jq(expression: str) -> Program:
    """Return the program of an expression: a document in, lines out. Texts are not quoted.

    Raises ``CliError`` for an expression that is not jq, and when a document is not what it
    expects.
    """
    import jq  # noqa: PLC0415 -- only this option needs it

    try:
        program = jq.compile(expression)
    except ValueError as error:
        raise _usage_error(f"--jq {expression!r} is not a jq expression", error) from error

    def run(document: Any) -> list[str]:
        try:
            found = list(program.input_value(document))
        except ValueError as error:
            raise _usage_error(f"--jq {expression!r} does not fit the result", error) from error
        return [one if isinstance(one, str) else _compact(one) for one in found]

    return run


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _usage_error(message: str, error: ValueError) -> CliError:
    reason = str(error).removeprefix("jq: error: ").partition("\n")[0].rstrip(":")
    return CliError(message, exit_code=ExitCode.USAGE, details=(reason,))
