"""Rules about the parts that only some forms have: templates, rules, lists, fixed values, words."""

import re
from collections.abc import Iterator

from catalog.forms import FieldDefinition, FieldType
from catalog.forms.expressions import use_problems
from catalog.forms.passwords import passwords_among
from catalog.loading import Path
from catalog.suggestions import did_you_mean
from catalog.validation.form_rules import GROUPS, RULES, fields_of, form_fields
from catalog.validation.secret_rules import passwords_in, shows_rows
from catalog.validation.subject import Problem, Subject
from catalog.validation.templates import PlacedTemplate
from pao.core.passwords import PasswordFields

_CODE = re.compile(r"`[^`]*`")
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>|<!--")
_IMAGE = re.compile(r"!\[[^\[\]]*\]\(")
_LINK = re.compile(r"\[[^\[\]]*\]\(\s*([^)\s]*)")


def form_templates(subject: Subject) -> Iterator[Problem]:
    """Require that templates of a form read only what is known while it is filled in.

    That is ``fields.<id>``, ``metadata``, ``request.user``, ``system`` and ``environment``, but
    no outputs, no secrets and nothing that depends on the request's id. A computed default is
    shown, so it does not read a password.
    """
    for placed in subject.templates:
        if placed.of_form is None or placed.found is None:
            continue
        found, outgoing = placed.found, placed.of_form.outgoing
        for message in use_problems(found.uses, found.functions, outgoing=outgoing):
            yield Problem(placed.path, message)
        yield from _password_reads(subject, placed)


def _password_reads(subject: Subject, placed: PlacedTemplate) -> Iterator[Problem]:
    if placed.of_form is None or not placed.of_form.computed or placed.found is None:
        return
    passwords = passwords_in(subject)
    rows = passwords_among((placed.of_form.row_of,) if placed.of_form.row_of else ())
    own = {inner for names in rows.in_rows.values() for inner in names}
    for use in placed.found.uses:
        name = use[1] if use[0] == "fields" and use[1:] else ""
        in_rows = name in passwords.in_rows
        if name in passwords.fields | own:
            yield _password_problem(placed, f"{name} is a password")
        elif in_rows and (placed.of_form.outgoing or shows_rows(subject, placed)):
            yield _password_problem(placed, f"{name} has passwords in its rows")


def _password_problem(placed: PlacedTemplate, message: str) -> Problem:
    message = f"{message}, and this is shown or sent without being asked for"
    return Problem(placed.path, message, "let the requester enter it, or leave it out")


def rule_fields(subject: Subject) -> Iterator[Problem]:
    """Require that a rule shows its message at fields of the form."""
    known = {field.id for field in subject.item.fields}
    for r, rule in enumerate(subject.item.presentation.form.rules):
        for index, name in enumerate(rule.fields):
            if name not in known:
                message = f"there is no field {name[:80]!r}{did_you_mean(name, known)}"
                yield Problem((*RULES, r, "fields", index), message)


def lists(subject: Subject) -> Iterator[Problem]:
    """Require fields of a list, and of lists only; rows hold no lists.

    ``uniqueBy`` names fields of a row, but no passwords; a default has no passwords; ``items``
    belongs to a multiselect without an enum.
    """
    for path, field in fields_of(subject):
        is_list = field.type is FieldType.LIST
        if is_list and not field.fields:
            yield Problem(path, "a list needs the fields of its rows", "write fields: [...]")
        for key, given in _of_lists(field):
            if given and not is_list:
                yield Problem((*path, key), f"{key} has no effect on a field of type {field.type}")
        if field.items is not None and field.type is not FieldType.MULTISELECT:
            message = f"items has no effect on a field of type {field.type}"
            yield Problem((*path, "items"), message, "use type multiselect")
        elif field.items is not None and field.choices is not None:
            yield Problem((*path, "items"), "items has no effect on a multiselect with an enum")
    for path, field in form_fields(subject):
        yield from _rows(path, field)


def _of_lists(field: FieldDefinition) -> Iterator[tuple[str, bool]]:
    yield "fields", bool(field.fields)
    yield "uniqueBy", bool(field.unique_by)
    yield "minItems", field.min_items is not None and field.type is not FieldType.MULTISELECT
    yield "maxItems", field.max_items is not None and field.type is not FieldType.MULTISELECT


def _rows(path: Path, field: FieldDefinition) -> Iterator[Problem]:
    known = {inner.id: inner.type for inner in field.fields}
    for r, inner in enumerate(field.fields):
        if inner.type is FieldType.LIST:
            message = f"a row cannot have a field of type {inner.type}"
            yield Problem((*path, "fields", r, "type"), message, "make it a field of the form")
    for index, name in enumerate(field.unique_by):
        if name not in known:
            message = f"the rows have no field {name[:80]!r}{did_you_mean(name, known)}"
            yield Problem((*path, "uniqueBy", index), message)
        elif known[name] is FieldType.PASSWORD:
            message = f"{name[:80]} is a password, and this would reveal which are equal"
            yield Problem((*path, "uniqueBy", index), message, "leave it out")
    in_rows = passwords_among((field,)).in_rows
    if PasswordFields(in_rows=in_rows).values_in({field.id: field.plain_default}):
        told = "everybody can read the passwords in this default"
        yield Problem((*path, "default"), told, "leave them out")


def fixed_values(subject: Subject) -> Iterator[Problem]:
    """Require a default of a read-only field, and ``mustBe`` on booleans only."""
    for path, field in fields_of(subject):
        if field.read_only and field.default is None:
            message = "a read-only field without a default never has a value"
            yield Problem((*path, "readOnly"), message, "add default: a value, or {template: ..}")
        if field.must_be is not None and field.type is not FieldType.BOOLEAN:
            message = f"mustBe has no effect on a field of type {field.type}"
            yield Problem((*path, "mustBe"), message, "use type boolean")


def descriptions(subject: Subject) -> Iterator[Problem]:
    """Require descriptions of simple Markdown: links (http, https), emphasis, code, lists.

    An item's documentation may have headings, quotes, tables and blocks of code as well. HTML is
    shown as text, other links and images are not shown at all.
    """
    places: list[tuple[Path, str]] = [
        (("metadata", "description"), subject.item.description),
        (("presentation", "documentation"), subject.item.presentation.documentation or ""),
    ]
    for g, group in enumerate(subject.item.groups):
        places.append(((*GROUPS, g, "description"), group.description or ""))
    for path, field in fields_of(subject):
        places.append(((*path, "description"), field.description or ""))
    for path, text in places:
        message = _not_markdown(_CODE.sub("", text))
        if message:
            yield Problem(path, message)


def _not_markdown(text: str) -> str | None:
    tag = _TAG.search(text)
    if tag:
        return f"HTML is shown as text: {tag[0][:40]}"
    if _IMAGE.search(text):
        return "images are not shown"
    for link in _LINK.finditer(text):
        if not link[1].lower().startswith(("http://", "https://")):
            return f"only links to http:// or https:// are followed, not {link[1][:40]!r}"
    return None
