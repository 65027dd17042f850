"""Variables of the operator's environment that texts of a document name."""

import re

_VARIABLE = re.compile(r"\b(?:env|environment)\.([A-Za-z][A-Za-z0-9_]*)")


def environment_variables(text: str) -> tuple[str, ...]:
    """Return the variables read as ``env.NAME`` or ``environment.NAME``, each once, in order."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))
