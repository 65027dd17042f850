"""JIRA's wiki markup: making a value plain text in it."""

import re

_MARKUP = re.compile(
    r"""
      \\
    | [{}\[\]|!]
    | (?<![^\W_]) [*_+\-^~\#]               # Inside a word these are no markup.
    | [*_+\-^~\#] (?![^\W_])
    | (?:^|(?<=[\r\n])) (?:h[1-6]|bq)\.     # A heading or a quote.
    """,
    re.VERBOSE,
)


def jira_escape(text: str) -> str:
    """Give the text so that JIRA shows it letter by letter, none of it as markup."""
    return _MARKUP.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    markup = found[0]
    return "&#92;" if markup == "\\" else f"{markup[:-1]}\\{markup[-1]}"
