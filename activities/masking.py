"""Hiding a request's secrets in texts that leave an activity: errors, bodies, reasons."""

import html
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from activities.errors import ActionError
from pao.core.names import MASK

SHORTEST_SECRET = 4  # Masking shorter texts would only garble messages.


def hide_secrets(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret by stars, also where a target has given it back escaped.

    Known are the escapes of JSON, HTML, URLs and Python, and white space made single blanks.
    """
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def hide_in_error(error: ActionError, secrets: Iterable[str]) -> ActionError:
    """Replace secrets in all that an error tells; gives the same error."""
    hidden = tuple(secrets)
    error.message = hide_secrets(error.message, hidden)
    if error.response_body:
        error.response_body = hide_secrets(error.response_body, hidden)
    return error


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < SHORTEST_SECRET:
        return
    yield secret
    yield " ".join(secret.split()) or secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield html.escape(secret)
    yield html.escape(secret, quote=False)
    encoded = secret.encode(errors="replace")
    yield quote(encoded)
    yield quote(encoded, safe="")
    yield quote_plus(encoded)
