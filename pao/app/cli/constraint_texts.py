"""The constraints of a field in words, for forms and prompts."""

from collections.abc import Mapping
from typing import Any

from catalog.forms.constraint_checks import STRENGTHS
from catalog.forms.definition import Strength
from pao.app.cli.terminal import clean

# The first text whose keys are all given is used; each key is used once.
_WORDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("minLength", "maxLength"), "{} to {} characters"),
    (("minLength",), "at least {} characters"),
    (("maxLength",), "at most {} characters"),
    (("min", "max"), "{} to {}"),
    (("min",), "from {}"),
    (("max",), "up to {}"),
    (("step",), "in steps of {}"),
    (("minItems", "maxItems"), "{} to {} of them"),
    (("minItems",), "at least {} of them"),
    (("maxItems",), "at most {} of them"),
    (("pattern",), "like {}"),
    (("maxSize",), "at most {}"),
    (("types",), "only {}"),
    (("hosts",), "only {}"),
)


def constraint_texts(rules: Mapping[str, Any]) -> list[str]:
    """Return one short text for each constraint of a value."""
    used: set[str] = set()
    words: list[str] = []
    for keys, text in _WORDS:
        if used.isdisjoint(keys) and all(rules.get(key) is not None for key in keys):
            used.update(keys)
            words.append(text.format(*(_value_text(rules[key]) for key in keys)))
    if rules.get("strength") not in (None, Strength.WEAK):
        words.append(_strength(rules["strength"]))
    return words


def _value_text(value: Any) -> str:
    return ", ".join(map(clean, value)) if isinstance(value, list) else clean(value)


def _strength(value: Any) -> str:
    characters, kinds = STRENGTHS.get(value, (0, 0))
    return f"at least {characters} characters and {kinds} of lower case, upper case, digit, other"
