"""Hints for authors about libyaml's errors. No parsing here."""

import re
from collections.abc import Sequence

import yaml

from catalog.yaml_tree import Position

# The first that fits counts.
_HINTS = (
    ("tab character", "indent with spaces, not with tabs"),
    (
        "mapping values are not allowed",
        "check the indentation, and quote a value that contains ': '",
    ),
    ("cannot start any token", "quote a value that starts with @, ` or %, and use no tabs"),
    ("expected ',' or ']'", "a '[' is not closed"),
    ("expected ',' or '}'", "a '{' is not closed; quote a value that starts with {{"),
    ("unexpected end of stream", "a quotation mark is not closed"),
    ("expected '-' indicator", "check the indentation of this list"),
    ("did not find expected key", "check the indentation and the quotation marks above"),
    ("found incompatible YAML document", "only YAML 1.1 and 1.2 are supported"),
    ("unknown escape character", r"in double quotes \ begins an escape; use single quotes, or \\"),
)
_NO_SPACE = re.compile(r"\s*+(?:- )?\s*+[A-Za-z][\w-]*:[^\s/:]")
_NO_BREAK_SPACE = "\u00a0"


def yaml_hint(problem: str, lines: Sequence[str], where: Position, last: yaml.Event | None) -> str:
    """Return what to change; ``last`` is what was read before the place where reading stopped."""
    return (
        _text_hint(problem, last)
        or _line_hint(problem, lines, where)
        or next((hint for part, hint in _HINTS if part in problem), "")
    )


def _text_hint(problem: str, last: yaml.Event | None) -> str:
    if not isinstance(last, yaml.ScalarEvent) or "expected" not in problem:
        return ""
    if not (last.start_mark and last.end_mark) or last.end_mark.line == last.start_mark.line:
        return ""
    begins = f"the text that starts in line {last.start_mark.line + 1}"
    if last.style in {'"', "'"}:
        return f"{begins} ends only here: is its closing quotation mark missing?"
    return "" if last.style in {"|", ">"} else f"{begins} spans several lines: write | before it"


def _line_hint(problem: str, lines: Sequence[str], where: Position) -> str:
    numbers = (where.line - 1, where.line)
    near = {number: lines[number - 1] for number in numbers if 0 < number <= len(lines)}
    for number, line in near.items():
        if _NO_BREAK_SPACE in line:
            return f"line {number} contains a no-break space: retype that space"
        if number < where.line and "mapping values" in problem and _NO_SPACE.match(line):
            return f"is a space missing after the colon in line {number}?"
    return ""
