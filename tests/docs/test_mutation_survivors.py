"""The list of surviving mutants names functions and tests that exist."""

import re
import tomllib
from pathlib import Path
from pkgutil import resolve_name

import pytest

from mutation.run import CHANGE, is_listed, read_survivors

ROOT = Path(__file__).resolve().parents[2]
TARGETS = tomllib.loads((ROOT / "mutation" / "targets.toml").read_text())
TEST = re.compile(r"\btests/[\w/]+\.py\b")


@pytest.mark.parametrize("target", TARGETS)
def test_a_survivor_that_a_test_holds_names_a_test_that_exists(target: str) -> None:
    listed = read_survivors(target)
    named = {name for reason in listed.values() for name in TEST.findall(reason)}
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
    for key, reason in listed.items():
        if CHANGE not in key:
            assert _is_narrow(key)
            held = set(TEST.findall(reason))
            assert held, f"{key}: which test holds it?"
            assert not held & set(TARGETS[target]["tests"]), f"{key}: this test has not killed it"


def _is_narrow(entry: str) -> bool:
    """Return whether an entry stands for a function, or with ``*`` for a class or a module."""
    found = resolve_name(entry.removesuffix(".*"))
    if entry.endswith(".*"):
        return isinstance(found, type) or not hasattr(found, "__path__")
    return callable(found) and not isinstance(found, type)


@pytest.mark.parametrize(
    ("mutant", "explained"),
    [
        ("workflows.look._ask: `` - a + b ``", True),
        ("workflows.look._ask_again: `` - a + b ``", False),
        ("workflows.waiting.ActionWaits._cut: `` - a + b ``", True),
        ("workflows.waiting._made: `` - a + b ``", False),
        ("workflows.waiting._made: `` - a + c ``", True),
    ],
)
def test_an_entry_stands_for_a_change_a_function_or_a_class(
    mutant: str, *, explained: bool
) -> None:
    listed = ["workflows.look._ask", "workflows.waiting.ActionWaits.*"]
    listed.append("workflows.waiting._made: `` - a + c ``")
    assert is_listed(mutant, dict.fromkeys(listed, "a reason")) is explained
