"""Parses paths in the four notations."""

import re

from catalog.templating.contract import FaultError
from catalog.templating.nodes import Computed, Expression, Key, Member, PathForm, Reference
from catalog.templating.scanner import (
    KEY_PATTERN,
    LITERALS,
    NAME_PATTERN,
    RESERVED,
    Scanner,
    key_of,
    unsupported,
)

LOOP_MEMBERS = ("index", "index0", "first", "last", "length")

_SLASH_ROOTS = frozenset({"input", "output", "system"})
_PLAIN = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9][A-Za-z0-9_]*)+)\s*", re.ASCII)
_NO_PLAIN_ROOTS = frozenset({*RESERVED, *LITERALS, "loop"})
_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*")
_PARENTS = re.compile(r"(?:\.\./)+")
# What may wrongly continue a slash path: .key, [0], ["key"].
_STEP = re.compile(rf"""\.({KEY_PATTERN.pattern})|\.?\[["'`]?({KEY_PATTERN.pattern})["'`]?\]""")
_REST = re.compile(rf"(?:{_STEP.pattern})+")
_INDEX = re.compile(r"-?\d+", re.ASCII)


def plain_path(text: str, number: int) -> Reference | None:
    """Return the path where a text is nothing but names with dots between, the most common tag.

    Everything else, and whatever could be something else, is None and left to the parser.
    """
    found = _PLAIN.fullmatch(text)
    if not found or found[1].partition(".")[0] in _NO_PLAIN_ROOTS:
        return None
    path, begin = found[1], 0
    members: list[Key] = []
    for name in path.split("."):
        members.append(Key(key_of(name), begin, begin + len(name)))
        begin += len(name) + 1
    return Reference(number, PathForm.PLAIN, 0, tuple(members), path)


class PathReader(Scanner):
    """The part of the expression parser that reads paths; the rest completes it."""

    def __init__(self, text: str, *, numbered: int, in_for: bool) -> None:
        super().__init__(text)
        self.references = numbered
        self._in_for = in_for

    def expression(self) -> Expression:
        """Read an expression, such as one that computes a member."""
        raise NotImplementedError

    def path(self) -> Reference:
        """Read the path that begins here."""
        start = self.position
        if self.peek() == ".":
            return self._dot_path(start)
        if self.peek() == "$":
            return self._dollar_path(start)
        if self.take("@"):
            return self._data_path(start)
        first = self._key(start, NAME_PATTERN)
        if first.value in _SLASH_ROOTS and self.peek() == "/":
            return self._slash_path(start, first)
        return self._reference(PathForm.PLAIN, start, first=first)

    def members(self, start: int, form: PathForm | None = None) -> tuple[Member, ...]:
        """Read the members that follow without white space, dots and brackets."""
        found: list[Member] = []
        while True:
            at_the_item = form is PathForm.ITEM and not found
            if self.text.startswith(".[", self.position):
                self.position += 1
            if self.peek() == "[":
                found.append(self._bracket(start))
            elif self.peek() == "." and not at_the_item:
                self.position += 1
                found.append(self._key(start, KEY_PATTERN))
            else:
                return tuple(found)

    def _dot_path(self, start: int) -> Reference:
        if parents := self.match(_PARENTS):
            first = self._key(start, NAME_PATTERN)
            return self._reference(PathForm.PARENT, start, first=first, levels=len(parents) // 3)
        self.take(".")
        if NAME_PATTERN.match(self.text, self.position) or self.peek() == "_":
            return self._reference(PathForm.ITEM, start, first=self._key(start, NAME_PATTERN))
        return self._reference(PathForm.ITEM, start)

    def _dollar_path(self, start: int) -> Reference:
        if variable := self.match(_VARIABLE):
            first = Key(variable, 0, len(variable))
            return self._reference(PathForm.VARIABLE, start, first=first)
        self.take("$")
        return self._reference(PathForm.DOLLAR, start)

    def _data_path(self, start: int) -> Reference:
        parents = self.match(_PARENTS)
        first = self._key(start, NAME_PATTERN)
        if first.value == "root" and not parents:
            return self._reference(PathForm.ROOT, start)
        return self._reference(PathForm.DATA, start, first=first, levels=len(parents) // 3)

    def _slash_path(self, start: int, first: Key) -> Reference:
        found: list[Member] = [first]
        while self.take("/"):
            found.append(self._key(start, KEY_PATTERN))
        if self.peek() and self.peek() in ".[":
            raise self._mixed_notation(start)
        return self._make_reference(PathForm.SLASH, start, tuple(found))

    def _mixed_notation(self, start: int) -> FaultError:
        """Return the error for a slash path that continues with a dot or a bracket."""
        rest = _REST.match(self.text, self.position)
        steps = [step[1] or step[2] for step in _STEP.finditer(rest[0])] if rest else []
        path = self.text[start : self.position]
        return FaultError(
            "template-syntax",
            "a path that begins with slashes must continue with slashes",
            suggestion="/".join([path, *steps]) if steps else "",
        )

    def _reference(
        self, form: PathForm, start: int, *, first: Key | None = None, levels: int = 0
    ) -> Reference:
        begun: tuple[Member, ...] = (first,) if first else ()
        members = begun + self.members(start, None if first else form)
        if form is PathForm.PLAIN and self._in_for and first and first.value == "loop":
            _check_loop(members[1:])
        return self._make_reference(form, start, members, levels=levels)

    def _make_reference(
        self, form: PathForm, start: int, members: tuple[Member, ...], *, levels: int = 0
    ) -> Reference:
        self.references += 1
        text = self.text[start : self.position]
        return Reference(self.references - 1, form, levels, members, text)

    def _key(self, start: int, pattern: re.Pattern[str]) -> Key:
        begin = self.position
        if self.peek() == "_":
            raise unsupported("a name with a leading _")
        written = self.match(pattern)
        if not written:
            self.unexpected("a name is missing")
        return Key(key_of(written), begin - start, self.position - start)

    def _bracket(self, start: int) -> Member:
        self.take("[")
        self.space()
        key = self._constant(start)
        if key is None:
            if self.peek() == ":":
                raise unsupported("a slice")
            self.deeper()
            key = Computed(self.expression())
            self.shallower()
        self.space()
        if self.peek() == ":":
            raise unsupported("a slice")
        self.expect("]")
        return key

    def _constant(self, start: int) -> Member | None:
        """Read a constant key or index if the bracket contains nothing else."""
        begin = self.position
        value: str | int
        if self.peek() in ('"', "'", "`"):
            value = self.quoted()
            span = (begin + 1 - start, self.position - 1 - start)
        elif written := self.match(_INDEX):
            value = _index(written)
            span = (begin - start, self.position - start)
        else:
            return None
        self.space()
        if self.peek() not in ("]", ":"):
            self.position = begin
            return None
        if isinstance(value, str) and value.startswith("_"):
            raise unsupported("a key with a leading _")
        return Key(value, *span)


def _index(written: str) -> str | int:
    if written.startswith("-"):
        found = key_of(written[1:])
        return -found if isinstance(found, int) else written
    return key_of(written)


def _check_loop(members: tuple[Member, ...]) -> None:
    if not members:
        return
    first = members[0]
    if not isinstance(first, Key) or first.value not in LOOP_MEMBERS:
        known = ", ".join(LOOP_MEMBERS)
        raise FaultError("template-refused", f"loop has {known} and nothing else")
