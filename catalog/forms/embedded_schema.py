"""The JSON Schema that a json field may carry: bounded, and nothing is ever fetched.

The schema comes from many hands and the value from anybody, so the keywords of the jsonschema
library that would backtrack, compare every pair or recurse without end are replaced.
"""

import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

from catalog.forms.values import ValueFormatError, canonical, compile_pattern, storage_problem
from catalog.schema_messages import message_of

Schema = Mapping[str, Any] | bool

_MAX_REFERENCES = 2_000
_MESSAGE = 300
# These would compile patterns of the schema for Python's backtracking engine.
_UNSUPPORTED = ("unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$dynamicAnchor")

# Keywords whose schemas validate nothing by themselves.
_NOT_APPLIED = frozenset({"$defs", "contentSchema", "definitions"})

_NO_FORMATS = FormatChecker(formats=())

_references_left: ContextVar[int] = ContextVar("references_left", default=_MAX_REFERENCES)


class _TooCostlyError(Exception):
    """The schema refers to itself too often for this value."""


def check_schema(schema: Schema) -> None:
    """Refuse a schema that is invalid, unbounded or refers outside: ``ValueFormatError``."""
    if storage_problem(schema):
        raise ValueFormatError(f"is not a JSON Schema: it {storage_problem(schema)}")
    for key, value in _entries(schema):
        if key in _UNSUPPORTED:
            raise ValueFormatError(f"uses {key}, which is not supported; use additionalProperties")
        if key == "$ref" and isinstance(value, str) and not value.startswith("#"):
            raise ValueFormatError(f"refers to {value[:80]!r}; only references inside it (#/...)")
        if key == "pattern" and isinstance(value, str):
            compile_pattern(value)
        if key == "patternProperties" and isinstance(value, dict):
            for pattern in value:
                compile_pattern(str(pattern))
    _check_meta(schema)


def missing_reference(schema: Schema) -> str | None:
    """Return the first reference within a schema that leads nowhere when a value is validated.

    Only subschemas that may be applied count: neither instances (``default``, ``const``) nor
    definitions to which nothing refers. None as well where parts have ids of their own, to which
    references are relative.
    """
    if any(key in ("$id", "$anchor") for key, _ in _entries(schema)):
        return None
    resolver = EMPTY_REGISTRY.resolver_with_root(DRAFT202012.create_resource(schema))
    waiting: list[Any] = [schema]
    seen: set[int] = set()
    while waiting:
        here = waiting.pop()
        if not isinstance(here, dict) or id(here) in seen:
            continue
        seen.add(id(here))
        reference = here.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            try:
                waiting.append(resolver.lookup(reference).contents)
            except (Unresolvable, ValueError):
                return reference
        applied = {key: value for key, value in here.items() if key not in _NOT_APPLIED}
        waiting += DRAFT202012.subresources_of(applied)
    return None


def _check_meta(schema: Schema) -> None:
    problem = _meta_problem(json.dumps(schema))
    if problem:
        raise ValueFormatError(f"is not a JSON Schema: {problem}")


@lru_cache(maxsize=256)
def _meta_problem(written: str) -> str | None:
    # Milliseconds each time, and the same schema is looked at for its rule, its form, every load.
    try:
        # The patterns were compiled for RE2 before; Python's engine overflows on nested groups.
        Draft202012Validator.check_schema(json.loads(written), format_checker=_NO_FORMATS)
    except SchemaError as error:
        return message_of(error)[:_MESSAGE]
    return None


class EmbeddedSchema:
    """A checked schema that validates values in bounded steps."""

    def __init__(self, schema: Schema) -> None:
        check_schema(schema)
        self._validator = _BoundedValidator(schema, registry=EMPTY_REGISTRY)

    def problem(self, value: Any) -> str | None:
        """Return what the schema does not accept in a value, or None. The value is not too deep."""
        token = _references_left.set(_MAX_REFERENCES)
        try:
            error = next(self._validator.iter_errors(value), None)
        except (_TooCostlyError, RecursionError):
            return "cannot be checked: the schema of this field refers to itself too often"
        except Unresolvable as unknown:
            # The library reports a reference within the schema without its #.
            missing = f"#{unknown.ref.removeprefix('#')}"
            return f"cannot be checked: the schema has no {missing[:80]!r}"
        finally:
            _references_left.reset(token)
        return _describe(error) if error else None


def _describe(error: ValidationError) -> str:
    message = message_of(error)
    if len(message) > _MESSAGE:
        message = f"the value does not match {error.validator!r}"
    return f"at {error.json_path}: {message}"


def _entries(schema: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield key, value
            yield from _entries(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _entries(item)


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and compile_pattern(pattern).search(value) is None:
        yield ValidationError(f"does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], value: Any, _: Any
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    for pattern, schema in patterns.items():
        for key, inner in value.items():
            if compile_pattern(pattern).search(key) is not None:
                yield from validator.descend(inner, schema, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, extra: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    patterns = [compile_pattern(pattern) for pattern in schema.get("patternProperties", {})]
    known = schema.get("properties", {})
    for key, inner in value.items():
        if key in known or any(pattern.search(key) is not None for pattern in patterns):
            continue
        if extra is False:
            yield ValidationError(f"the key {key[:80]!r} is not allowed")
        else:
            yield from validator.descend(inner, extra, path=key)


def _unique_items(_: Any, wanted: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    if wanted and isinstance(value, list) and len({canonical(item) for item in value}) < len(value):
        yield ValidationError("contains duplicate items")


def _ref(validator: Any, ref: str, value: Any, schema: Any) -> Iterator[ValidationError]:
    left = _references_left.get()
    if left <= 0:
        raise _TooCostlyError
    _references_left.set(left - 1)
    yield from Draft202012Validator.VALIDATORS["$ref"](validator, ref, value, schema)


_BoundedValidator: Any = extend(  # type: ignore[no-untyped-call] # the stubs leave it untyped
    Draft202012Validator,
    {
        "$ref": _ref,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
)
