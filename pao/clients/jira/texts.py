"""Texts as each flavour of JIRA wants them: storable, and on Cloud as documents."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from pao.clients.jira.adf import plain_to_adf, wiki_to_adf

RICH_FIELDS = ("description", "environment")
"""Fields of every JIRA whose text is wiki markup here."""

TEXTAREA = "com.atlassian.jira.plugin.system.customfieldtypes:textarea"
TEXT_LINE = "com.atlassian.jira.plugin.system.customfieldtypes:textfield"
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def storable(value: Any) -> Any:
    """Return a value without characters that XML cannot contain: JIRA answers those with 500."""
    if isinstance(value, str):
        return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, Mapping):
        return {key: storable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [storable(one) for one in value]
    return value


def as_documents(fields: Mapping[str, Any], textareas: Collection[str]) -> dict[str, Any]:
    """Return the fields for Cloud: long texts as documents.

    Those of JIRA's own fields are wiki markup; a text of another field is literal, because
    nothing in it was escaped.
    """
    found = dict(fields)
    for name, value in fields.items():
        if not isinstance(value, str):
            continue
        if name in RICH_FIELDS:
            found[name] = wiki_to_adf(value)
        elif name in textareas:
            found[name] = plain_to_adf(value)
    return found


def custom_texts(fields: Mapping[str, Any]) -> list[str]:
    """Return the custom fields that are given a text."""
    return [
        name
        for name, value in fields.items()
        if name.startswith("customfield_") and isinstance(value, str)
    ]


def textareas(known: list[Any]) -> frozenset[str]:
    """Find the custom fields for long texts in the list of all fields."""
    return _of_type(known, TEXTAREA)


def text_lines(known: list[Any]) -> frozenset[str]:
    """Find the custom fields for a single line in the list of all fields."""
    return _of_type(known, TEXT_LINE)


def _of_type(known: list[Any], custom: str) -> frozenset[str]:
    return frozenset(str(one.get("id")) for one in known if _custom(one) == custom)


def _custom(field: Any) -> Any:
    schema = field.get("schema") if isinstance(field, Mapping) else None
    return schema.get("custom") if isinstance(schema, Mapping) else None
