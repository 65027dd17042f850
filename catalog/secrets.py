"""Password fields at rest: sealed before they are stored, opened only where they are needed."""

from collections.abc import Iterable, Mapping
from typing import Any

from pao.core.definitions import password_fields
from pao.core.payloads.context import RequestContext
from pao.runtime.crypto import SecretBox


def seal_fields(
    box: SecretBox, request_id: str, fields: Mapping[str, Any], passwords: Iterable[str]
) -> dict[str, Any]:
    """Return the fields with every password sealed, whatever it looks like."""
    sealed = dict(fields)
    for name in passwords:
        value = fields.get(name)
        if isinstance(value, str):
            sealed[name] = box.seal(value, context=_context(request_id, name))
    return sealed


def open_fields(
    box: SecretBox, context: RequestContext, fields: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Open the passwords among a request's fields (or the given ones); the others are left out.

    Raises ``SecretUnreadableError`` when a value was sealed for another place or by a lost key.
    """
    held = context.fields if fields is None else fields
    return {
        name: box.open(held[name], context=_context(context.request_id, name))
        for name in sorted(password_fields(context.item.definition))
        if isinstance(held.get(name), str)
    }


def _context(request_id: str, field_id: str) -> str:
    """Return what a value is bound to: it opens in its own request and field only."""
    return f"request:{request_id}:field:{field_id}"
