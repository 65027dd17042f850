"""What the texts of a configuration may be, for its model and for the rules of documents."""

from typing import Any

WEB_ADDRESS = "web-address"
"""The format of addresses that actions call, in the schemas of their configurations."""


def is_template(value: Any) -> bool:
    """Return whether a value is a text with a template in it."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)
