"""What a browser posts of a form's fields: their texts, passwords and files, and edits of rows."""

from collections.abc import Iterator, Mapping

from starlette.datastructures import FormData, UploadFile

from api.web.datetimes import from_local
from api.web.forms import text_of
from catalog.forms.definition import FieldDefinition, FieldType
from catalog.forms.files import file_value
from catalog.forms.posted import row_numbers
from catalog.forms.writing import WRITE_ONLY
from pao.core.field_paths import parse_field_path, row_field_path


def posted_texts(fields: Mapping[str, FieldDefinition], posted: FormData) -> dict[str, list[str]]:
    """Return the texts of every field that the page showed, passwords and files left out.

    A marker says that a field was shown: an unticked checkbox posts nothing. A file in a row is
    there without a text, because it makes the row.
    """
    return {
        name: [] if definition.type in WRITE_ONLY else _texts(name, definition, posted)
        for name, definition in _fields_by_posted_name(fields, posted)
        if f"has.{name}" in posted and (definition.type not in WRITE_ONLY or name not in fields)
    }


def _texts(name: str, definition: FieldDefinition, posted: FormData) -> list[str]:
    texts = [one for one in posted.getlist(f"fields.{name}") if isinstance(one, str)]
    if definition.type is not FieldType.DATETIME:
        return texts
    zone, before = text_of(posted, f"zone.{name}"), text_of(posted, f"before.{name}")
    return [from_local(one, zone=zone, before=before) for one in texts]


async def posted_secrets(fields: Mapping[str, FieldDefinition], posted: FormData) -> dict[str, str]:
    """Return the passwords and files that were entered; an empty input leaves what is kept."""
    found: dict[str, str] = {}
    for name, definition in _fields_by_posted_name(fields, posted):
        value = posted.get(f"fields.{name}")
        if definition.type is FieldType.PASSWORD and isinstance(value, str) and value:
            found[name] = value
        elif definition.type is FieldType.FILE and isinstance(value, UploadFile):
            content = await value.read()
            if content or value.filename:
                found[name] = file_value(
                    definition, content, name=value.filename or "", declared=value.content_type
                )
    return found


def removed_secrets(posted: FormData) -> frozenset[str]:
    """Return the fields whose kept password or file is to be removed."""
    return frozenset(name.removeprefix("drop.") for name in posted if name.startswith("drop."))


def _fields_by_posted_name(
    fields: Mapping[str, FieldDefinition], posted: FormData
) -> Iterator[tuple[str, FieldDefinition]]:
    """Yield the fields by the names under which they are posted, those in posted rows as well."""
    shown = [name.removeprefix("has.") for name in posted if name.startswith("has.")]
    for name, one in fields.items():
        yield name, one
        for number in row_numbers(one, shown) if one.type is FieldType.LIST else ():
            yield from ((row_field_path(name, number, inner.id), inner) for inner in one.fields)


def find_field(fields: Mapping[str, FieldDefinition], name: str) -> FieldDefinition | None:
    """Return the field that is posted under a name, in a row as well; None where there is none."""
    outer, number, inner = parse_field_path(name)
    one = fields.get(outer)
    if one is None or number is None:
        return one
    return next((each for each in one.fields if each.id == inner), None)
