"""Repairs invalid parts of a document, so that every rule can still be checked. No rules here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from catalog.document_kinds import parse_definition
from catalog.loading import Path, value_at
from catalog.model import CatalogDocument

MOST_ERRORS = 100
# What was put in has keys of its own that may be missing; each is found one round later.
_ROUNDS = 6

# Keys that say which names there are: while one of them is wrong, names look wrong that are not.
NAMING = frozenset(
    {
        "id",
        "metadata",
        "presentation",
        "form",
        "groups",
        "fields",
        "fulfillment",
        "manual",
        "automatic",
        "actions",
        "outputs",
        "components",
    }
)
_MODE_RULES = frozenset({"automatic-actions", "automatic-unused"})
_MODE_PATHS: tuple[Path, ...] = (("fulfillment", "strategy"), ("fulfillment", "automatic"))
_DOCUMENT_RULES = frozenset({"field-unused"})


@dataclass(frozen=True)
class RecoveredDocument:
    """The item of a document whose wrong parts were left out or made up, and what these are.

    ``made_up`` are those that stood for something; ``late_errors`` is what could be seen only after
    other parts had been recovered; ``only_keys`` says that nothing but unknown keys was left out.
    """

    item: CatalogDocument
    touched: frozenset[Path]
    made_up: frozenset[Path]
    late_errors: tuple[ErrorDetails, ...] = ()
    only_keys: bool = False

    @property
    def names_are_reliable(self) -> bool:
        """Whether no name was touched, so that what reads names can be held against them."""
        return not any(_last_key(path) in NAMING for path in self.touched)

    def follows(self, rule: str, path: Path) -> bool:
        """Return whether a finding only follows from what was recovered."""
        if rule in _DOCUMENT_RULES:
            return True
        if rule in _MODE_RULES and any(t[:2] in _MODE_PATHS for t in self.touched):
            return True
        if any(path == made_up[:-1] for made_up in self.made_up):
            # What lacks in a part is what was left out of it.
            return True
        return any(_is_about(touched, path) for touched in self.touched)


def recover(
    data: dict[str, Any], errors: list[ErrorDetails], meant: Iterable[Path]
) -> RecoveredDocument | None:
    """Repair plain data in place until it is an item; None where it is too far from one.

    ``meant`` are the paths that misspelt keys were meant for.
    """
    touched, made_up = {*meant}, {*meant}
    only_keys = True
    news: list[ErrorDetails] = []
    for number in range(_ROUNDS):
        if len(errors) > MOST_ERRORS or any(error["type"] == "too_long" for error in errors):
            return None
        news += [error for error in errors if number and _is_late_error(error, made_up)]
        for error in errors:
            path = _repair(data, error)
            touched.add(path)
            if error["type"] != "extra_forbidden":
                made_up.add(path)
                only_keys = False
        try:
            return RecoveredDocument(
                parse_definition(data),
                frozenset(touched),
                frozenset(made_up),
                tuple(news),
                only_keys,
            )
        except ValidationError as error:
            errors = errors_in(data, error)
    return None


def errors_in(data: Mapping[str, Any], error: ValidationError) -> list[ErrorDetails]:
    """Return what pydantic says of a document, with places as the document has them.

    Of a union pydantic's path also names the member: ``options.http.url``. Of a list it counts only
    what is valid: one that is long enough is not called too short because of what it holds.
    """
    found = error.errors(include_url=False, include_input=False)
    for one in found:
        one["loc"] = _document_path(data, one["loc"])
    return [one for one in found if not _is_long_enough(data, one)]


def _document_path(data: Any, path: Path) -> Path:
    written: list[str | int] = []
    for part in path[:-1]:
        if _holds(data, part):
            written.append(part)
            data = data[part]
    return (*written, *path[-1:])


def _holds(data: Any, part: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, dict) and part in data


def _is_long_enough(data: Mapping[str, Any], error: ErrorDetails) -> bool:
    if error["type"] != "too_short":
        return False
    given = value_at(data, error["loc"])
    return isinstance(given, list) and len(given) >= error["ctx"]["min_length"]


def existing(data: Mapping[str, Any], path: Path) -> Path:
    """Cut off what pydantic adds to a path to name the member of a union."""
    while path and value_at(data, path) is None and value_at(data, path[:-1]) is not None:
        holder = value_at(data, path[:-1])
        if isinstance(holder, dict) or (isinstance(holder, list) and isinstance(path[-1], int)):
            return path
        path = path[:-1]
    return path


def _is_late_error(error: ErrorDetails, made_up: set[Path]) -> bool:
    """Return whether an error shows only now that keys are good, and is not of a made-up one."""
    path = error["loc"]
    return error["type"] == "value_error" and not any(m[: len(path)] == path for m in made_up)


def _repair(data: dict[str, Any], error: ErrorDetails) -> Path:
    path: Path = tuple(error["loc"])
    if error["type"] == "missing":
        value_at(data, path[:-1])[path[-1]] = _placeholder(path)
        return path
    path = existing(data, path)
    holder = value_at(data, path[:-1])
    if isinstance(holder, list) and error["type"] in {"model_type", "string_type"}:
        holder[int(path[-1])] = {} if error["type"] == "model_type" else "missing"
        return path
    while path and not isinstance(value_at(data, path[:-1]), dict):
        path = path[:-1]
    if path:
        value_at(data, path[:-1]).pop(path[-1], None)
    return path


def _placeholder(path: Path) -> Any:
    match path[-1]:
        case "metadata":
            return {}
        case "version":
            return "0.0.0"
        case "components":
            return []
        case "type" if "fields" in path:
            return "json"
        case "id":
            # Each its own: ids stand once.
            return "missing" + "x".join(str(part) for part in path if isinstance(part, int))
    return "missing"


def _is_about(touched: Path, path: Path) -> bool:
    if path[: len(touched)] == touched:
        return True
    # What constraints and defaults mean depends on the type of their field.
    field = touched[:-1]
    return touched[-1:] == ("type",) and "fields" in touched and path[: len(field)] == field


def _last_key(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")
