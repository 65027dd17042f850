"""Escapes values for JIRA's wiki markup."""

import re

_SIGNS = r"\{}[]|!*_+-^~#."
_MARKUP = re.compile(
    r"""
    [\\{}\[\]|!*_+\-^~\#.]                  # One class first: the engine skips to it quickly.
    (?: (?<=[\\{}\[\]|!])
      | (?<=[*_+\-^~\#]) (?: (?<![^\W_].) | (?![^\W_]) )    # Inside a word these are no markup.
      | (?<=h[1-6]\.) (?: (?<=\A..\.) | (?<=[\r\n]..\.) )   # A heading.
      | (?<=bq\.) (?: (?<=\A..\.) | (?<=[\r\n]..\.) )       # A quote.
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = {sign: "\\" + sign for sign in _SIGNS} | {"\\": "&#92;"}


def jira_escape(text: str) -> str:
    """Return the text so that JIRA shows it literally, none of it as markup."""
    return text if text.isalnum() else _MARKUP.sub(_escape_sign, text)


def _escape_sign(match: re.Match[str]) -> str:
    return _ESCAPED[match[0]]
