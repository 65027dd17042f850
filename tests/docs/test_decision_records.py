"""docs/adr: the index lists every record once, in order, under its own title."""

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
RECORDS = sorted(file for file in FOLDER.glob("*.md") if file.name != "README.md")
ROWS = re.findall(
    r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+?) \|",
    (FOLDER / "README.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def heading(record: Path) -> str:
    return record.read_text(encoding="utf-8").partition("\n")[0]


def test_the_index_lists_every_record_once_and_in_order() -> None:
    assert [file for _, file, _ in ROWS] == [record.name for record in RECORDS]


def test_a_record_has_one_number_in_name_index_and_heading() -> None:
    numbers = [record.name[:4] for record in RECORDS]

    assert len(set(numbers)) == len(numbers)
    assert [number for number, _, _ in ROWS] == numbers
    assert [heading(record).split(":")[0] for record in RECORDS] == [f"# {n}" for n in numbers]


def test_the_index_says_the_title_of_a_record() -> None:
    assert [title for _, _, title in ROWS] == [
        heading(record).partition(": ")[2] for record in RECORDS
    ]
