"""The pages lead to files and headings that exist."""

import re
from pathlib import Path

import pytest

from tests.support.pages import CODE, HISTORY, PAGES, ROOT, names, prose

PATHS = re.compile(
    r"(?:activities|api|benchmarks|catalog|chaos|db|docs|examples|fuzz|pao|tests|workflows)/[\w./-]*"
)


@pytest.mark.parametrize("page", sorted(set(PAGES) - HISTORY), ids=lambda page: page.name)
def test_a_file_that_a_page_names_exists(page: Path) -> None:
    named = {name for name in names(page) if PATHS.fullmatch(name)}

    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", prose(page))):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def anchors(page: Path) -> set[str]:
    """Return the anchors of the page's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
