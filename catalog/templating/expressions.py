"""Parses expressions: operators by precedence, calls in three spellings, pipes and tests."""

import re

from catalog.templating.contract import FaultError
from catalog.templating.foreign_names import (
    FOREIGN_OPERATORS,
    FOREIGN_WORDS,
    OPERATOR_MEANT,
    SIMPLE,
    WORD_MEANT,
)
from catalog.templating.nodes import (
    Chain,
    Comparison,
    Conditional,
    Expression,
    FunctionCall,
    ListLiteral,
    Literal,
    Logic,
    MappingLiteral,
    MemberAccess,
    Negation,
    Pipe,
    Test,
)
from catalog.templating.paths import PathReader
from catalog.templating.scanner import LITERALS, NAME_PATTERN, RESERVED, unsupported

# From loosest to tightest. Unary minus binds tighter than all of them, a pipe tighter still.
_OR, _AND, _NOT, _COMPARE, _ADD, _CONCAT, _MULTIPLY, _MINUS = range(8)
_RANKS = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not in"), _COMPARE),
    **dict.fromkeys(("+", "-"), _ADD),
    "~": _CONCAT,
    **dict.fromkeys(("*", "/", "//", "%"), _MULTIPLY),
}
_OPERATOR = re.compile(
    r"(?:not\s+in|in|or|and)(?![A-Za-z0-9_-])|[=!<>]=|[<>]|\*\*|//|[-+~*/%]", re.ASCII
)
_LONGEST_SUGGESTION = 200
_NEEDS_SPACE = frozenset({"-", "/", "//"})
_FUNCTION_WORDS = frozenset({"and", "or", "not"})
_BEGINS_ARGUMENT = frozenset("\"'`([{.$@0123456789")


class ExpressionParser(PathReader):
    """Reads one expression; ``references`` counts on from the given number."""

    def whole(self) -> Expression:
        """Read an expression that must be the whole text."""
        found = self.expression()
        self.finish()
        return found

    def finish(self) -> None:
        """Raise unless everything has been read."""
        self.space()
        if self.position < len(self.text):
            self.unexpected()

    def expression(self) -> Expression:
        """Read an expression, conditionals included."""
        branches = []
        value = self.operation(_OR)
        while self.keyword("if"):
            branches.append((value, self.operation(_OR)))
            value = Literal(None)
            if not self.keyword("else"):
                break
            value = self.operation(_OR)
        return Conditional(tuple(branches), value) if branches else value

    def operation(self, least: int = _OR) -> Expression:
        """Read operands and operators of at least this precedence; no conditional."""
        left = self._unary(least)
        while (operator := self._operator()) and _RANKS[operator] >= least:
            rank = _RANKS[operator]
            rest = []
            while operator and _RANKS[operator] == rank:
                self._skip_operator()
                rest.append((operator, self.operation(rank + 1)))
                operator = self._operator()
            left = _combine(rank, left, tuple(rest))
        return left

    def _unary(self, least: int) -> Expression:
        self.space()
        if self.word() == "not" and least <= _NOT:
            self.position += len("not")
            return self._negation("not", _NOT)
        if self.take("-"):
            return self._negation("-", _MINUS)
        if self.peek() == "!":
            self._check_foreign()
        return self._pipeline()

    def _negation(self, operator: str, rank: int) -> Expression:
        self.deeper()
        operand = self.operation(rank)
        self.shallower()
        return Negation(operator, operand)

    def _operator(self) -> str:
        """Return the next operator, skipping only white space."""
        before = self.position
        self.space()
        self._check_foreign()
        found = _OPERATOR.match(self.text, self.position)
        if not found:
            self._check_words()
            self.position = before if self.position < len(self.text) else self.position
            return ""
        operator = " ".join(found[0].split())
        if operator == "**":
            raise unsupported("**")
        if operator in _NEEDS_SPACE:
            self._check_spaces(operator)
        return operator

    def _check_foreign(self) -> None:
        """Raise for an operator of another language, such as ``&&``."""
        found = FOREIGN_OPERATORS.match(self.text, self.position)
        if not found:
            return
        ours = OPERATOR_MEANT[found[0]]
        left, right = self.text[: found.start()].rstrip(), self.text[found.end() :].lstrip()
        short = len(self.text) <= _LONGEST_SUGGESTION
        raise FaultError(
            "template-syntax",
            f"{found[0]} is not an operator here; write {ours}",
            suggestion=f"{left} {ours} {right}".strip() if short else "",
        )

    def _check_words(self) -> None:
        """Raise for a word that other languages write between two values, such as ``contains``."""
        found = FOREIGN_WORDS.match(self.text, self.position)
        if not found or not self.position:
            return
        ours, written = WORD_MEANT[found[1]]
        left, right = self.text[: found.start()].strip(), self.text[found.end() :].strip()
        simple = SIMPLE.fullmatch(left) and SIMPLE.fullmatch(right)
        raise FaultError(
            "template-syntax",
            f"{found[1]} is not an operator here; write {ours}",
            suggestion=written.format(left=left, right=right) if simple else "",
        )

    def _skip_operator(self) -> None:
        found = _OPERATOR.match(self.text, self.position)
        self.position = found.end() if found else self.position

    def _check_spaces(self, operator: str) -> None:
        end = self.position + len(operator)
        around = self.text[self.position - 1 : self.position], self.text[end : end + 1]
        if all(sign.isspace() for sign in around):
            return
        left, right = self.text[: self.position].strip(), self.text[end:].strip()
        suggested = operator != "-" and len(self.text) <= _LONGEST_SUGGESTION
        suggestion = f"{left} {operator} {right}" if suggested else ""
        message = f"the operator {operator} needs white space on both sides"
        raise FaultError("template-syntax", message, suggestion=suggestion)

    def _pipeline(self) -> Expression:
        subject = self._primary()
        steps: list[FunctionCall | Test] = []
        while True:
            if self.keyword("is"):
                steps.append(self._test())
            elif self._take_pipe():
                steps.append(self._filter())
            else:
                return Pipe(subject, tuple(steps)) if steps else subject

    def _take_pipe(self) -> bool:
        before = self.position
        self.space()
        self._check_foreign()
        if self.take("|"):
            return True
        self.position = before
        return False

    def _test(self) -> Test:
        negated = self.keyword("not")
        self.space()
        name = self.match(NAME_PATTERN) or self.unexpected("a test is missing after is")
        return Test(name, negated)

    def _filter(self) -> FunctionCall:
        self.space()
        name = self.match(NAME_PATTERN)
        if not name or (name in RESERVED and name not in _FUNCTION_WORDS):
            self.unexpected("a function is missing after |")
        return FunctionCall(name, self._call_arguments())

    def _call_arguments(self) -> tuple[Expression, ...]:
        if self.peek() == "(":
            return self._bracketed_arguments()
        return self._spaced_arguments()

    def _bracketed_arguments(self) -> tuple[Expression, ...]:
        return tuple(self._series("(", ")"))

    def _series(self, opening: str, closing: str) -> list[Expression]:
        self.take(opening)
        self.deeper()
        found: list[Expression] = []
        self.space()
        while not self.take(closing):
            if found:
                self.expect(",")
            found.append(self.expression())
            self.space()
            if self.peek() not in (",", closing):
                self.unexpected(f"{closing} is missing")
        self.shallower()
        return found

    def _spaced_arguments(self) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while True:
            before = self.position
            if not (self.space() and self._argument_is_next()):
                self.position = before
                return tuple(found)
            found.append(self._atom(calls=False))

    def _argument_is_next(self) -> bool:
        word = self.word()
        return self.peek() in _BEGINS_ARGUMENT if not word else word not in RESERVED

    def _primary(self) -> Expression:
        return self._atom(calls=True)

    def _atom(self, *, calls: bool) -> Expression:
        """Read a literal, a path, a call or a bracketed expression, with members after a dot."""
        self.space()
        start = self.position
        found = self._bare_atom(calls=calls)
        members = self.members(start)
        if self.peek() == "(":
            raise unsupported("the call of a method or of a result")
        return MemberAccess(found, members) if members else found

    def _bare_atom(self, *, calls: bool) -> Expression:
        sign = self.peek()
        if sign == "(":
            return self._parentheses()
        if sign == "[":
            return ListLiteral(tuple(self._series("[", "]")))
        if sign == "{":
            return self._mapping()
        if sign and sign in "\"'`":
            return Literal(self.quoted())
        if sign.isascii() and sign.isdigit():
            return Literal(self.number())
        return self._name_or_literal(calls=calls)

    def _name_or_literal(self, *, calls: bool) -> Expression:
        word = self.word()
        if word in LITERALS:
            self.position += len(word)
            return Literal(LITERALS[word])
        if word in RESERVED and not (calls and word in _FUNCTION_WORDS):
            self.unexpected("a value is missing before it")
        if word:
            return self._name_or_call(word, calls=calls)
        if not self.peek() or self.peek() not in ".$@":
            self.unexpected("a value is missing")
        return self.path()

    def _name_or_call(self, word: str, *, calls: bool) -> Expression:
        start = self.position
        self.position += len(word)
        if self.peek() == "(":
            return FunctionCall(word, self._bracketed_arguments())
        if calls and self.peek() not in (".", "[", "/"):
            arguments = self._spaced_arguments()
            if arguments or word in RESERVED:
                return FunctionCall(word, arguments, spaced=True)
        self.position = start
        return self.path()

    def _parentheses(self) -> Expression:
        self.take("(")
        self.deeper()
        found = self.expression()
        self.expect(")")
        self.shallower()
        return found

    def _mapping(self) -> Expression:
        self.take("{")
        self.deeper()
        pairs: list[tuple[str, Expression]] = []
        self.space()
        while not self.take("}"):
            if pairs:
                self.expect(",")
                self.space()
            if self.peek() not in ('"', "'", "`"):
                self.unexpected("a key in quotes is missing")
            key = self.quoted()
            self.expect(":")
            pairs.append((key, self.expression()))
            self.space()
            if self.peek() not in (",", "}"):
                self.unexpected("} is missing")
        self.shallower()
        return MappingLiteral(tuple(pairs))


def _combine(rank: int, first: Expression, rest: tuple[tuple[str, Expression], ...]) -> Expression:
    if rank in (_OR, _AND):
        return Logic(rest[0][0], (first, *(operand for _, operand in rest)))
    return Comparison(first, rest) if rank == _COMPARE else Chain(first, rest)
