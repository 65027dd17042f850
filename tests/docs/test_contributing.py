"""Rules of CONTRIBUTING.md that no other tool checks."""

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_names_of_test_files_are_unique() -> None:
    names = Counter(file.name for file in TESTS.rglob("test_*.py"))
    assert [name for name, times in names.items() if times > 1] == []
