"""Cursors: stateless base64url JSON of the sort keys, with a mark so that only ours are taken."""

import base64
import binascii
import json
from typing import Any

from api.schemas import Pagination
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.runtime.crypto import SecretBox


class Cursors:
    """Writes and reads cursors. A cursor belongs to one list with one set of filters."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def write(self, scope: str, keys: list[Any]) -> str:
        """Return the cursor after the row with these keys; ``scope`` names list and filters."""
        mark = self._box.fingerprint(_signed_content(scope, keys))
        text = json.dumps({"k": keys, "m": mark}, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def read(self, scope: str, cursor: str) -> list[Any]:
        """Return the sort keys of a cursor; one that is not ours, or of another list, is a 400."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            given = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            keys, mark = given["k"], given["m"]
        except (binascii.Error, ValueError, KeyError, TypeError, RecursionError) as error:
            raise _invalid_cursor() from error
        if not isinstance(keys, list) or not isinstance(mark, str):
            raise _invalid_cursor()
        if not self._box.has_fingerprint(_signed_content(scope, keys), mark):
            raise _invalid_cursor()
        return keys


def pagination(next_cursor: str | None) -> Pagination:
    """Return what a page says of the next one, whose cursor is ``following``."""
    return Pagination(has_more=next_cursor is not None, next_cursor=next_cursor)


def _signed_content(scope: str, keys: list[Any]) -> bytes:
    return json.dumps([scope, keys], separators=(",", ":")).encode()


def _invalid_cursor() -> PaoError:
    message = "This cursor is not valid for this list; start again without a cursor."
    detail = Detail(field="cursor", constraint="cursor", message=message)
    return PaoError(ErrorCode.VALIDATION_ERROR, message, details=(detail,), status=400)
