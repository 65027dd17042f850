"""Go's printf, as far as texts need it."""

import re
from collections.abc import Callable
from typing import Any

from catalog.templating.contract import FaultError
from catalog.templating.functions.arguments import text, whole_number
from catalog.templating.functions.registry import FunctionContext
from catalog.templating.limits import require_room
from catalog.templating.values import is_number, json_text, text_of, wrong_type

_DIRECTIVE = re.compile(r"%([-0]*)(\d*)(?:\.(\d*))?(.?)", re.ASCII | re.DOTALL)
_MOST_WIDTH = 100
_PLACES = 6


def printf(context: FunctionContext, form: Any, *values: Any) -> str:
    """Write the values into the format; raises template-arguments for too few or too many."""
    waiting = list(values)
    size = 0

    def replacement(match: re.Match[str]) -> str:
        nonlocal size
        part = _format_value(match, waiting, context)
        size += len(part)
        require_room(size)
        return part

    result = _DIRECTIVE.sub(replacement, text(form))
    if waiting:
        raise FaultError("template-arguments", "printf() has more values than its format takes")
    return result


def _format_value(match: re.Match[str], waiting: list[Any], context: FunctionContext) -> str:
    flags, width, places, verb = match.groups()
    if match[0] == "%%":
        return "%"
    if verb not in _VERBS or (places is not None and verb != "f"):
        raise FaultError("template-value", "printf() supports only %s %v %d %f %q %t and %%")
    size, digits = _parse_width(width or "0"), _parse_width(places or "0")
    if not waiting:
        raise FaultError("template-arguments", "printf() has fewer values than its format takes")
    digits = _PLACES if places is None else digits
    part = _VERBS[verb](waiting.pop(0), digits, context)
    if "-" in flags:
        return part.ljust(size)
    return part.zfill(size) if "0" in flags and verb in "df" else part.rjust(size)


def _parse_width(digits: str) -> int:
    if len(digits) > len(str(_MOST_WIDTH)) or int(digits) > _MOST_WIDTH:
        raise FaultError("template-value", f"the width in a format is at most {_MOST_WIDTH}")
    return int(digits)


def _any(value: Any, _: int, context: FunctionContext) -> str:
    return text_of(value, context.budget)


def _whole(value: Any, _: int, __: FunctionContext) -> str:
    return str(whole_number(value))


def _fixed(value: Any, digits: int, _: FunctionContext) -> str:
    if not is_number(value):
        raise wrong_type("a number for %f", value)
    return f"{value:.{digits}f}"


def _quoted(value: Any, _: int, context: FunctionContext) -> str:
    return json_text(text(value), context.budget)


def _boolean(value: Any, _: int, __: FunctionContext) -> str:
    if not isinstance(value, bool):
        raise wrong_type("a boolean for %t", value)
    return "true" if value else "false"


_VERBS: dict[str, Callable[[Any, int, FunctionContext], str]] = {
    "s": _any,
    "v": _any,
    "d": _whole,
    "f": _fixed,
    "q": _quoted,
    "t": _boolean,
}
