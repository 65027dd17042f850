"""Scans an expression's text: names, numbers and texts, with errors for invalid ones."""

import re
from typing import NoReturn

from catalog.templating.contract import FaultError
from catalog.templating.limits import EXPRESSION_DEPTH, LARGEST_NUMBER, too_deep

NAME = r"[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*"
NAME_PATTERN = re.compile(NAME)
KEY_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*")
RESERVED = frozenset({"if", "else", "and", "or", "not", "in", "is"})
LITERALS = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "nil": None,
    "none": None,
    "None": None,
}

_SPACE = re.compile(r"[ \t\r\n\f\v]*")
_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_QUOTED = re.compile(r""""((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)'|`([^`]*+)`""", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.?))", re.DOTALL)
_ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}
_UNSUPPORTED = re.compile(r":=|=(?!=)|\*|as\s*\||_")
_ASSIGNMENT = re.compile(r"=\s")
_DIGITS_OF_AN_INDEX = 15


class Scanner:
    """A position in an expression's text, which reading advances."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._depth = 0

    def space(self) -> bool:
        """Skip white space; return whether there was any."""
        found = _SPACE.match(self.text, self.position)
        start, self.position = self.position, found.end() if found else self.position
        return self.position > start

    def peek(self) -> str:
        """Return the next character, or an empty text at the end."""
        return self.text[self.position : self.position + 1]

    def take(self, expected: str) -> bool:
        """Move over the expected text if it is next."""
        if not self.text.startswith(expected, self.position):
            return False
        self.position += len(expected)
        return True

    def expect(self, expected: str) -> None:
        """Move over white space and the expected text, or raise."""
        self.space()
        if not self.take(expected):
            self.unexpected(f"{expected} is missing")

    def match(self, pattern: re.Pattern[str]) -> str:
        """Move over what the pattern matches here and return it, or an empty text."""
        found = pattern.match(self.text, self.position)
        if not found:
            return ""
        self.position = found.end()
        return found[0]

    def word(self) -> str:
        """Return the name or keyword that is next, without moving."""
        found = NAME_PATTERN.match(self.text, self.position)
        return found[0] if found else ""

    def keyword(self, word: str) -> bool:
        """Move over white space and the keyword if it is next."""
        start = self.position
        self.space()
        if self.word() == word:
            self.position += len(word)
            return True
        self.position = start
        return False

    def number(self) -> float:
        """Read a number."""
        written = self.match(_NUMBER)
        if written.isdigit() and len(written) <= _DIGITS_OF_AN_INDEX:
            return int(written)
        value = float(written)
        if abs(value) == float("inf"):
            raise FaultError("template-limit", "a number is too large")
        return int(value) if written.isdigit() and value <= LARGEST_NUMBER else value

    def quoted(self) -> str:
        """Read a text in quotes or backquotes."""
        found = _QUOTED.match(self.text, self.position)
        if not found:
            raise FaultError("template-syntax", f"a text has no closing {self.peek()}")
        self.position = found.end()
        double, single, raw = found.groups()
        return raw if raw is not None else unescape(double if single is None else single)

    def deeper(self) -> None:
        """Count one more level of nesting."""
        self._depth += 1
        if self._depth > EXPRESSION_DEPTH:
            raise too_deep("expressions", EXPRESSION_DEPTH)

    def shallower(self) -> None:
        """Leave a level of nesting."""
        self._depth -= 1

    def unexpected(self, message: str = "") -> NoReturn:
        """Raise the fault for what does not belong here."""
        rest = self.text[self.position :]
        if _ASSIGNMENT.match(rest):
            raise FaultError("template-refused", "= is not a comparison; write ==")
        if _UNSUPPORTED.match(rest):
            raise unsupported(rest[:20])
        shown = f"{rest[:20]!r} is not expected here" if rest else "it ends unexpectedly"
        raise FaultError("template-syntax", f"{shown}; {message}" if message else shown)


def unsupported(what: str) -> FaultError:
    """Return the fault of something that templates deliberately cannot do."""
    return FaultError("template-refused", f"{what} is not supported in templates")


def key_of(written: str) -> str | int:
    """Return a written member as an index if it is one, else as a key."""
    short = len(written) <= _DIGITS_OF_AN_INDEX and written.isdigit()
    return int(written) if short and str(int(written)) == written else written


def unescape(text: str) -> str:
    """Return a quoted text with its escapes resolved."""
    plain = _ESCAPE.sub(_unescape, text) if "\\" in text else text
    try:
        # Two escapes may together be one character beyond the first plane.
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeError as error:
        raise FaultError("template-syntax", "a text contains an unpaired surrogate") from error


def _unescape(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    if match[2] not in _ESCAPES:
        raise FaultError(
            "template-syntax", f"the escape {match[0]!r} is unknown; write \\\\ for \\"
        )
    return _ESCAPES[match[2]]
