"""Corrected field values of a retry: validated by the form, kept as a diff."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from catalog.document_kinds import parse_definition
from catalog.form_context import form_context
from catalog.forms import FieldError, Form, FormResult
from catalog.forms.values import equal, excerpt
from catalog.masked_passwords import mask_errors, restore_passwords
from catalog.scopes import ScopeContext
from catalog.secrets import fill_passwords, open_fields, seal_fields
from pao.core.names import MAX_FIELDS_JSON, masked
from pao.core.payloads.context import RequestContext
from pao.core.payloads.decisions import CorrectionAnswer
from pao.runtime.crypto import SecretBox

MOST_ERRORS = 20
LONGEST_MESSAGE = 2_000


def correct(
    context: RequestContext,
    changes: Mapping[str, Any],
    box: SecretBox,
    today: date,
    scope_context: ScopeContext,
) -> tuple[CorrectionAnswer, tuple[FieldError, ...]]:
    """Validate the request's fields with the changes made; null removes a value.

    What the changes hide is dropped, unless it is among them, and shown in the diff; what was
    computed is computed again from the changed values, unless somebody had changed it. Passwords
    among the changes are sealed already. The answer's fields are complete and sealed; its diff
    shows old and new of what changed, with passwords masked. Stars in place of a password leave it
    as it is. Raises ``SecretUnreadableError`` when a password cannot be opened.
    """
    item = parse_definition(context.item.definition)
    form, submitted = item.form, datetime.fromisoformat(context.submitted_at)
    about = form_context(item, context.requester, submitted, scope_context)
    opened = fill_passwords(context.fields, open_fields(box, context), form.passwords)
    sent = form.without_computed(opened, today, about)
    given = fill_passwords(changes, open_fields(box, context, changes), form.passwords)
    wanted = sent | restore_passwords(form.fields, opened, given)
    wanted = {key: value for key, value in wanted.items() if value is not None}
    if stars := mask_errors(form, wanted):
        return _refusal(stars), stars
    result = form.validate(wanted, today, about)
    while hidden := _hidden(form, wanted, result) - changes.keys():
        # What is dropped may hide more, for conditions look at it.
        wanted = {key: value for key, value in wanted.items() if key not in hidden}
        result = form.validate(wanted, today, about)
    if not result.valid:
        return _refusal(result.errors), result.errors
    if len(json.dumps(result.values)) > MAX_FIELDS_JSON:
        text = f"the fields would be larger than {MAX_FIELDS_JSON} bytes of JSON; send less data"
        return CorrectionAnswer(valid=False, message=text), (FieldError("", "size", text),)
    changed = {
        name: value
        for name, value in result.values.items()
        if name not in opened or not equal(opened[name], value)
    }
    kept = {name: context.fields[name] for name in result.values if name not in changed}
    fields = kept | seal_fields(box, context.request_id, changed, form.passwords)
    answer = CorrectionAnswer(valid=True, fields=fields, diff=_diff(context.fields, fields))
    return answer, ()


def _refusal(errors: tuple[FieldError, ...]) -> CorrectionAnswer:
    messages = (f"{excerpt(error.field)}: {error.message}" for error in errors[:MOST_ERRORS])
    return CorrectionAnswer(valid=False, message="; ".join(messages)[:LONGEST_MESSAGE])


def _hidden(form: Form, values: Mapping[str, Any], result: FormResult) -> set[str]:
    """Return the fields that have a value but do not apply."""
    return {name for name in values if name in form.fields and name not in result.visible}


def _diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"old": excerpt(masked(before.get(name))), "new": excerpt(masked(after.get(name)))}
        for name in sorted(before.keys() | after.keys())
        if not equal(before.get(name), after.get(name))
    }
