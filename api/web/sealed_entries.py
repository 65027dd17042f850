"""Passwords and files that a page keeps, sealed, until it is sent: of a retry, of a preview.

They are never put into a page in clear, and nothing is stored of a preview. What is sealed opens
only for the same place (which names the person) and field.
"""

from collections.abc import Mapping

from starlette.datastructures import FormData

from api.web.posted_fields import find_field
from catalog.forms.definition import FieldDefinition
from catalog.forms.writing import WRITE_ONLY
from pao.runtime.crypto import SecretBox, SecretUnreadableError

_PREFIX = "sealed."


def sealed_entries(box: SecretBox, place: str, entered: Mapping[str, str]) -> dict[str, str]:
    """Return what was entered as the page keeps it, by the names of the fields."""
    return {
        name: box.seal(one, context=_context(place, name)) for name, one in entered.items() if one
    }


def kept_entries(
    box: SecretBox, place: str, fields: Mapping[str, FieldDefinition], posted: FormData
) -> dict[str, str]:
    """Return what the page has kept; whatever does not open here is left out, as if not entered."""
    found: dict[str, str] = {}
    for key, token in posted.items():
        name = key.removeprefix(_PREFIX)
        one = find_field(fields, name) if key.startswith(_PREFIX) else None
        if one is None or one.type not in WRITE_ONLY or not isinstance(token, str):
            continue
        try:
            found[name] = box.open(token, context=_context(place, name))
        except SecretUnreadableError:
            continue
    return found


def _context(place: str, name: str) -> str:
    return f"{place}:field:{name}"
