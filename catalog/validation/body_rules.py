"""Rules about bodies: what is sent as JSON is rendered with made-up values, and read."""

from collections.abc import Iterator
from typing import Any

from catalog.action_rendering import escaping_chooser
from catalog.loading import Position
from catalog.templating import Escaping, Inspection, TemplateError, render
from catalog.validation.sample_values import sample_forms, sample_scopes, value_for
from catalog.validation.subject import Problem, Subject
from catalog.validation.templates import PlacedTemplate

_NO_JSON = "template-json"


def json_bodies(subject: Subject) -> Iterator[Problem]:
    """Require that a JSON body is JSON once it is rendered.

    It is tried with made-up values: once with every field that the form shows together, once with
    the fewest. Values never break JSON, so that what is wrong is in the template: a comma before
    the end, a quotation mark that is missing, an ``if`` without an ``else``.
    """
    forms: list[dict[str, Any]] | None = None
    for placed in subject.templates:
        if not _is_json(subject, placed):
            continue
        forms = sample_forms(subject.item) if forms is None else forms
        for fields in forms:
            error = _json_error(subject, placed, fields)
            if error:
                where = Position(error.line, error.column)
                yield Problem(placed.path, error.message, inside=where)
                break


def _is_json(subject: Subject, placed: PlacedTemplate) -> bool:
    if placed.action is None or not placed.place:
        return False
    schema = subject.known_actions.get(placed.action.type)
    if schema is None or ("{" in placed.text and placed.found is None):
        return False
    targets = {key: Escaping(value) for key, value in schema.targets.items()}
    return escaping_chooser(targets, placed.action.config)(placed.place) is Escaping.JSON


def _json_error(
    subject: Subject, placed: PlacedTemplate, fields: dict[str, Any]
) -> TemplateError | None:
    """Return why the rendered text is no JSON; None for whatever else may be wrong."""
    scopes = _scopes(subject, placed.found, fields) if placed.found else {}
    try:
        render(placed.text, scopes, placed.names, Escaping.JSON)
    except TemplateError as error:
        return error if error.id == _NO_JSON else None
    return None


def _scopes(subject: Subject, found: Inspection, fields: dict[str, Any]) -> dict[str, Any]:
    outputs = {}
    for _, action in subject.actions():
        schema = subject.known_actions.get(action.type)
        made = value_for(schema.outputs) if schema and schema.outputs else {}
        outputs[action.id] = made if isinstance(made, dict) else {}
    metadata = subject.document.data.get("metadata")
    return sample_scopes(metadata, fields, found, outputs)
