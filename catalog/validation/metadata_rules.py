"""Rules about what an item is: ids, versions, descriptions, owners."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from catalog.forms.values import parse_date
from catalog.loading import Path
from catalog.model import Metadata
from catalog.suggestions import nearest
from catalog.validation.subject import Problem, Subject

SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_COLOR = re.compile(r"#[0-9A-Fa-f]{3}([0-9A-Fa-f]{3})?([0-9A-Fa-f]{2})?|[a-z]+")
_ID_PARTS = 3
_DESCRIPTION = range(50, 501)


def semver(subject: Subject) -> Iterator[Problem]:
    """Require a semantic version such as 1.2.0 in ``metadata.version``."""
    version = subject.item.version
    if not SEMVER.fullmatch(version):
        yield Problem(
            ("metadata", "version"),
            f"version {version[:80]!r} is not a semantic version",
            "write three numbers, such as 1.2.0",
        )


def item_id(subject: Subject) -> Iterator[Problem]:
    """Require a kebab-case ``metadata.id``: {category-singular}-{service}-{variant}."""
    identifier = subject.item.id
    if not KEBAB.fullmatch(identifier) or identifier.count("-") < _ID_PARTS - 1:
        yield Problem(
            ("metadata", "id"),
            f"id {identifier[:80]!r} does not follow {{category-singular}}-{{service}}-{{variant}}",
            "for example database-postgresql-standard",
        )


def file_name(subject: Subject) -> Iterator[Problem]:
    """Require the file name ``<category>/<id>.yaml``."""
    file = PurePosixPath(subject.document.file)
    if file.stem != subject.item.id:
        yield Problem(("metadata", "id"), f"the file should be named {subject.item.id}.yaml")
    folder = file.parent.name
    if folder and folder != subject.item.category:
        yield Problem(
            ("metadata", "category"),
            f"category {subject.item.category!r} should equal the folder, {folder!r}",
        )


def owner(subject: Subject) -> Iterator[Problem]:
    """Require an owner, who decides about the item's failed requests."""
    if subject.item.metadata.owner is None:
        yield Problem(
            ("metadata", "owner"),
            "the item has no owner",
            "add owner: {team: ..., contact: ...}; without it only admins and submitters decide",
        )


def description(subject: Subject) -> Iterator[Problem]:
    """Require a description of 50 to 500 characters."""
    length = len(subject.item.description)
    if length not in _DESCRIPTION:
        said = f"has {length} characters" if length else "is missing"
        yield Problem(("metadata", "description"), f"the description {said}; write 50 to 500")


def sunset_date(subject: Subject) -> Iterator[Problem]:
    """Require a valid ``sunsetDate``, on a deprecated item only."""
    path: Path = ("lifecycle", "deprecation", "sunsetDate")
    deprecation = subject.item.deprecation
    sunset = deprecation.sunset_date
    if sunset is None:
        return
    if not parse_date(sunset):
        yield Problem(path, f"{sunset[:80]!r} is not a date", "write it as 2027-01-31")
    elif not deprecation.deprecated:
        message = "the sunset date has no effect: the item is not deprecated"
        yield Problem(path, message, "write deprecated: true, or remove it")


def display(subject: Subject) -> Iterator[Problem]:
    """Require a CSS color (``#336791``) and a web address for documentation."""
    shown = subject.item.presentation.display
    if shown.color is not None and not _COLOR.fullmatch(shown.color):
        message = f"{shown.color[:80]!r} is not a color"
        yield Problem(("presentation", "display", "color"), message, "write it as #336791")
    if shown.color is None and "color" in shown.model_fields_set:
        hint = 'a # starts a comment: write "#336791", in quotes'
        yield Problem(("presentation", "display", "color"), "the color is empty", hint)
    url = shown.documentation_url
    if url is not None and not url.startswith(("https://", "http://")):
        message = f"{url[:80]!r} is not a web address"
        yield Problem(("presentation", "display", "documentationUrl"), message, "https://...")


def near_known_key(subject: Subject) -> Iterator[Problem]:
    """Warn about a constant in the metadata that looks like a misspelled key."""
    metadata = subject.item.metadata
    known = [field.alias or name for name, field in Metadata.model_fields.items()]
    for key in metadata.model_extra or {}:
        meant = nearest(key, known)
        if meant and meant not in metadata.model_fields_set:
            yield Problem(
                ("metadata", key), f"{key!r} is read as a constant", f"{meant!r}?", at_key=True
            )
