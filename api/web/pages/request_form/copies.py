"""A request as a link, a command, a call or data: what a person hands on. Secrets are left out."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from api.web.words import _
from catalog.forms.definition import FieldDefinition, FieldType
from catalog.forms.form import Form
from catalog.forms.writing import WRITE_ONLY, as_text

MOST_LINKED = 8 * 1024
"""A longer link is not taken."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One way to hand a request on."""

    id: str
    title: str
    text: str


def copies_of(form: Form, item_id: str, values: Mapping[str, Any], address: str) -> list[Copy]:
    """Return the ways; a link only where it is short enough to be taken."""
    fields = {
        name: _without_files(one, values[name])
        for name, one in form.fields.items()
        if values.get(name) is not None and one.type not in WRITE_ONLY
    }
    body = {"catalogItemId": item_id, "fields": fields}
    query = urlencode(list(_query_pairs(form, fields)), quote_via=quote)
    copies = []
    if len(query) <= MOST_LINKED:
        link = f"{address}/catalog/{quote(item_id)}/request"
        copies.append(Copy("link", _("Link"), f"{link}?{query}" if query else link))
    return [
        *copies,
        Copy("command", _("Command"), _command(form, item_id, fields)),
        Copy("call", _("curl"), _call(body, address)),
        Copy("data", _("JSON"), json.dumps(body, indent=2, ensure_ascii=False)),
    ]


def has_secrets(form: Form, values: Mapping[str, Any]) -> bool:
    """Return whether something had to be left out."""
    apart = (one for one in form.fields.values() if one.type in WRITE_ONLY)
    in_rows = form.passwords.values_in(values)
    return bool(in_rows) or any(values.get(one.id) is not None for one in apart)


def _query_pairs(form: Form, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if form.fields[name].read_only:
            continue
        if form.fields[name].type is FieldType.MULTISELECT and isinstance(value, list):
            yield from ((f"fields.{name}", as_text(one)) for one in value)
        else:
            yield f"fields.{name}", _as_word(value)


def _command(form: Form, item_id: str, values: Mapping[str, Any]) -> str:
    words = ["pao request submit", shlex.quote(item_id)]
    for name, value in values.items():
        if form.fields[name].read_only:
            continue
        text = _as_word(value)
        # A leading @ would name a file.
        text = f"@{text}" if text.startswith("@") else text
        words.append(f"--field {shlex.quote(f'{name}={text}')}")
    return " \\\n  ".join([" ".join(words[:2]), *words[2:]])


def _call(body: Mapping[str, Any], address: str) -> str:
    return " \\\n  ".join(
        (
            'curl --aws-sigv4 "aws:amz:$PAO_REGION:execute-api"',
            '--user "$PAO_ACCESS_KEY_ID:$PAO_SECRET_ACCESS_KEY"',
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}",
            shlex.quote(f"{address}/api/v1/requests"),
        )
    )


def _as_word(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return as_text(value)


def _without_files(one: FieldDefinition, value: Any) -> Any:
    """Return a value without the files in the rows of a list."""
    files = {inner.id for inner in one.fields if inner.type in WRITE_ONLY}
    if not files or not isinstance(value, list):
        return value
    return [
        {name: part for name, part in row.items() if name not in files}
        if isinstance(row, Mapping)
        else row
        for row in value
    ]
