"""What browsers post in a form, read within bounds."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

MOST_FIELDS = 20_000
MOST_FILES = 1_000


async def _read_form(request: Request) -> AsyncIterator[FormData]:
    # Files are closed when the answer is made.
    async with request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES) as posted:
        yield FormData([(name, _without_nulls(one)) for name, one in posted.multi_items()])


def _without_nulls(value: UploadFile | str) -> UploadFile | str:
    """Return a value without null characters, which Postgres refuses."""
    return value.replace("\0", "") if isinstance(value, str) else value


Posted = Annotated[FormData, Depends(_read_form)]


def text_of(posted: FormData, name: str) -> str:
    """Return the text of a posted field, or an empty one."""
    value = posted.get(name)
    return value if isinstance(value, str) else ""
