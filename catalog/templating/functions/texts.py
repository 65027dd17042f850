"""Functions on texts."""

import re
import unicodedata
from typing import Any

from catalog.patterns import Pattern, PatternError, compile_pattern
from catalog.templating.contract import FaultError
from catalog.templating.functions.arguments import items, non_empty_text, text, whole_number_between
from catalog.templating.functions.registry import FunctionContext
from catalog.templating.limits import TEXT_BYTES, fits, require_room
from catalog.templating.values import join as join_texts
from catalog.templating.values import text_of

_WORD = re.compile(r"\S+")
_NOT_A_SLUG = re.compile(r"[^a-z0-9]+")
_NOT_SANE = re.compile(r"[^A-Za-z0-9._-]+")
_PATTERN_WORK = 100_000_000


def upper(_: FunctionContext, value: Any) -> str:
    """Return the text in upper case."""
    return text(value).upper()


def lower(_: FunctionContext, value: Any) -> str:
    """Return the text in lower case."""
    return text(value).lower()


def trim(_: FunctionContext, value: Any) -> str:
    """Return the text without white space around it."""
    return text(value).strip()


def title(_: FunctionContext, value: Any) -> str:
    """Return the text with each word's first letter upper and the rest lower."""
    return _WORD.sub(lambda word: word[0][:1].upper() + word[0][1:].lower(), text(value))


def concat(_: FunctionContext, *values: Any) -> str:
    """Return the texts one after the other."""
    return join_texts([text(value) for value in values], "")


def replace(_: FunctionContext, value: Any, old: Any, new: Any) -> str:
    """Return the text with every ``old`` replaced by ``new``, literally."""
    subject, wanted, given = text(value), non_empty_text(old, "what replace() looks for"), text(new)
    require_room(len(subject) + subject.count(wanted) * (len(given) - len(wanted)))
    return subject.replace(wanted, given)


def split(_: FunctionContext, value: Any, separator: Any) -> list[str]:
    """Return the parts of the text between the separators."""
    return text(value).split(non_empty_text(separator, "the separator"))


def join(context: FunctionContext, value: Any, separator: Any = ", ") -> str:
    """Return the items as one text, with the separator between them."""
    return text_of(items(value), context.budget, non_empty_text(separator, "the separator"))


def truncate(_: FunctionContext, value: Any, length: Any, end: Any = "…") -> str:
    """Return at most that many characters, the end that marks the cut included."""
    subject, mark = text(value), text(end)
    most = whole_number_between(length, 0, TEXT_BYTES, "the length")
    if len(subject) <= most:
        return subject
    return subject[: max(0, most - len(mark))] + mark[:most]


def matches(_: FunctionContext, value: Any, pattern: Any) -> bool:
    """Return whether the RE2 pattern is found anywhere in the text."""
    subject = text(value)
    compiled = _pattern(text(pattern))
    if compiled.programsize * (len(subject) + 1) > _PATTERN_WORK:
        raise FaultError("template-limit", "the pattern is too large for a text of this length")
    return compiled.search(subject) is not None


def slugify(_: FunctionContext, value: Any) -> str:
    """Return the text as lower-case words of ASCII letters and digits joined by hyphens."""
    decomposed = unicodedata.normalize("NFKD", text(value))
    plain = "".join(sign for sign in decomposed if unicodedata.category(sign)[0] != "M")
    return _NOT_A_SLUG.sub("-", plain.casefold()).strip("-")


def sanitize(_: FunctionContext, value: Any) -> str:
    """Return the text as a safe file name."""
    return _NOT_SANE.sub("_", text(value)).lstrip(".")


def string(context: FunctionContext, value: Any) -> str:
    """Return any value as its text."""
    return fits(text_of(value, context.budget))


def _pattern(pattern: str) -> Pattern:
    try:
        return compile_pattern(pattern)
    except PatternError:
        # RE2 quotes the pattern, which may have been made of a secret.
        raise FaultError(
            "template-value", "the pattern is not valid for RE2, or too large"
        ) from None
