"""Hiding a request's secrets in texts that leave an activity: errors, bodies, reasons."""

import html
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

from activities.errors import ActionError
from pao.core.names import MASK
from pao.core.payloads import PartialResource

SHORTEST_SECRET = 4  # Masking shorter texts would only garble messages.
# Within the keys and addresses that a target gives, a short secret is met by chance.
SHORTEST_WITHIN_VALUE = 8


class SecretRing:
    """The secrets that one execution has met; whatever it tells is masked with all of them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = set(secrets)

    def add(self, secret: str) -> None:
        """Have a value masked from now on, such as a token that was fetched for this call."""
        self._secrets.add(secret)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._secrets))

    def hide(self, text: str) -> str:
        """Give a text with every secret replaced by stars."""
        return hide_secrets(text, self._secrets)

    def hide_in(self, value: Any) -> Any:
        """Give a copy of a JSON value without secrets: whole texts, and longer ones within texts.

        Keys are masked as well.
        """
        if isinstance(value, str):
            return self._hide_in_text(value)
        if isinstance(value, dict):
            return {self.hide_in(key): self.hide_in(member) for key, member in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide_in(member) for member in value]
        return value

    def _hide_in_text(self, text: str) -> str:
        if text in self._secrets and text:
            return MASK
        return hide_secrets(
            text, [one for one in self._secrets if len(one) >= SHORTEST_WITHIN_VALUE]
        )


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
    error.partial = tuple(_hide_in_partial(one, hidden) for one in error.partial)
    return error


def _hide_in_partial(resource: PartialResource, hidden: tuple[str, ...]) -> PartialResource:
    texts = {
        name: hide_secrets(text, hidden)
        for name in ("type", "id", "url", "cleanup")
        if (text := getattr(resource, name)) is not None
    }
    return replace(resource, **texts)


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
