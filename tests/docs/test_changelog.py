"""CHANGELOG.md: releases that a reader can scan, the newest of them ours."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
RELEASES = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", TEXT, re.MULTILINE)
SECTIONS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def test_every_heading_is_a_release_and_unreleased_stands_on_top() -> None:
    headings = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)

    assert headings == ["[Unreleased]", *(f"[{version}] - {date}" for version, date in RELEASES)]


def test_newer_releases_stand_above_older_ones() -> None:
    for (newer, at), (older, before) in pairwise(RELEASES):
        assert number(newer) > number(older)
        assert at >= before


def test_the_newest_release_is_the_version_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == RELEASES[0][0]


def test_every_release_is_divided_by_kind_of_change_each_once() -> None:
    for release in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.*)$", release, re.MULTILINE)
        assert set(kinds) <= set(SECTIONS)
        assert kinds == sorted(kinds, key=SECTIONS.index)
        assert len(kinds) == len(set(kinds))
