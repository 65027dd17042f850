"""Which of the operator's secrets a configuration names. Pure; no values are known here."""

import re
from typing import Any

from catalog.loading import walk_texts

_SECRET = re.compile(r"\bsecrets[./]([A-Za-z][A-Za-z0-9_]*)")


def secret_names(value: Any) -> list[str]:
    """Return the names that the templates below a value read, each once."""
    found: dict[str, None] = {}
    for _, text in walk_texts(value):
        if "secrets" in text:
            found.update(dict.fromkeys(_SECRET.findall(text)))
    return list(found)
