"""Password fields at rest: sealed before they are stored, opened only where they are needed."""

from collections.abc import Mapping
from typing import Any

from pao.core.names import MASK
from pao.core.passwords import PasswordFields, passwords_of
from pao.core.payloads.context import RequestContext
from pao.runtime.crypto import SecretBox


def seal_fields(
    box: SecretBox, request_id: str, fields: Mapping[str, Any], passwords: PasswordFields
) -> dict[str, Any]:
    """Return the fields with every password sealed, whatever it looks like.

    Only a mask stays as it is: it is not a password.
    """

    def sealed(path: str, value: Any) -> Any:
        if not isinstance(value, str) or value == MASK:
            return value
        return box.seal(value, context=_context(request_id, path))

    return passwords.replace(fields, sealed)


def open_fields(
    box: SecretBox, context: RequestContext, fields: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Open the passwords among a request's fields (or the given ones), by their paths.

    Raises ``SecretUnreadableError`` when a value was sealed for another place or by a lost key.
    """
    held = passwords_of(context.item.definition).values_in(
        context.fields if fields is None else fields
    )
    return {
        path: box.open(value, context=_context(context.request_id, path))
        for path, value in held.items()
        if isinstance(value, str) and value != MASK
    }


def fill_passwords(
    fields: Mapping[str, Any], opened: Mapping[str, str], passwords: PasswordFields
) -> dict[str, Any]:
    """Return fields with the opened passwords in their places."""
    return passwords.replace(fields, opened.get)


def mask_passwords(fields: Mapping[str, Any], passwords: PasswordFields) -> dict[str, Any]:
    """Return fields as they may be shown."""
    return passwords.replace(fields, lambda _path, _value: MASK)


def _context(request_id: str, path: str) -> str:
    """Return what a value is bound to: it opens in its own request and place only."""
    return f"request:{request_id}:field:{path}"
