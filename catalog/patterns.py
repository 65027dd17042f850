"""Compiling the regular expressions of documents and callers: RE2 alone, within bounds.

RE2 never backtracks, but a pattern may still be large: 20,000 nested groups cost its Python binding
a minute and gigabytes. Groups are not captured, length and compiled size are bounded.
"""

from functools import lru_cache
from typing import Protocol

import re2

MAX_LENGTH = 1_000
# What a compiled pattern may take, in bytes; two hundred times `[\pL\pN]` fit.
MAX_BYTES = 4 << 20


class PatternError(ValueError):
    """A pattern that is invalid or too large; the text says why, in the words of RE2."""


class Pattern(Protocol):
    """A compiled pattern; what its groups matched is not known."""

    @property
    def programsize(self) -> int:
        """The number of its instructions: what one character of a text costs at most."""
        ...

    def search(self, text: str) -> object | None:
        """Return something when the pattern is found anywhere in the text, else None."""

    def fullmatch(self, text: str) -> object | None:
        """Return something when the pattern matches the whole text, else None."""


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Pattern:
    """Return the compiled pattern; raises ``PatternError``."""
    if len(pattern) > MAX_LENGTH:
        raise PatternError(f"has {len(pattern):,} characters; at most {MAX_LENGTH:,} are allowed")
    options = re2.Options()
    # RE2 would write the problem to standard error besides raising it.
    options.log_errors = False
    options.never_capture = True
    options.max_mem = MAX_BYTES
    try:
        compiled: Pattern = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        detail = error.args[0] if error.args else error
        reason = detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
        raise PatternError(f"is not a valid RE2 pattern: {reason}") from None
    return compiled
