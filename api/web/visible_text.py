"""Texts from outside, made harmless to the eye: control and bidirectional characters as marks."""

import re
from typing import Any

from markupsafe import Markup

# Colors and cursor movements of terminals, as programs write them into logs.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_KEPT = "\t\n\r"
_MARKS = {code: 0x2400 + code for code in range(32) if chr(code) not in _KEPT}
_MARKS |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
_MARKS |= {ord(character): 0xFFFD for character in _BIDI}
_MARKS |= {0x2028: 0x2424, 0x2029: 0x2424, 0xFEFF: 0xFFFD}
_SUSPECT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff" + _BIDI + "]")


def visible_text(value: Any) -> Any:
    """Return a text as it is shown; what is no text, or is markup of ours, is left as it is.

    A character that hides, reverses or overwrites others becomes a visible mark.
    """
    if not isinstance(value, str) or isinstance(value, Markup) or not _SUSPECT.search(value):
        return value
    return _ANSI.sub("", value).translate(_MARKS)
