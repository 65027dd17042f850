"""Rules about what an item is: ids, versions, descriptions, owners."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from catalog.forms.values import parse_date
from catalog.loading import Path, walk_texts
from catalog.model import Cost, Metadata
from catalog.suggestions import nearest
from catalog.validation.subject import Problem, Subject
from pao.core.durations import parse_duration

SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_COLOR = re.compile(r"#[0-9A-Fa-f]{3}([0-9A-Fa-f]{3})?([0-9A-Fa-f]{2})?|[a-z]+")
_ID_PARTS = 3
_USABLE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_LONGEST_ID = 200
_CURRENCY = re.compile(r"[A-Z]{3}")
_DATE_LIKE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_PERIOD = re.compile(
    r"(?:up to |about |within |~ ?)?\d+(?:\.\d+)?(?: ?(?:-|to) ?\d+)?"
    r" ?(?:business |working |calendar )?(?:s|m|h|d|w|sec|min|minute|hour|day|week|month)s?",
    re.IGNORECASE,
)
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


def usable_id(subject: Subject) -> Iterator[Problem]:
    """Require an id that can be requested: letters, digits, dots and hyphens, at most 200.

    An id is part of an address, of a file's name and of a path in templates; ``a/b`` and ``..``
    can be none of these.
    """
    identifier = subject.item.id
    path: Path = ("metadata", "id")
    if len(identifier) > _LONGEST_ID:
        message = f"the id has {len(identifier)} characters; at most {_LONGEST_ID} can be requested"
        yield Problem(path, message, "choose a shorter one")
    elif not _USABLE.fullmatch(identifier):
        message = f"the id {identifier[:80]!r} cannot be requested"
        yield Problem(path, message, "use lowercase letters, digits and hyphens")


def values(subject: Subject) -> Iterator[Problem]:
    """Require valid costs, currencies, durations and dates in the metadata.

    A cost is not negative and has a currency of three letters (``EUR``), a provisioning time is a
    duration (``4h``, ``2 business days``), and what looks like a date exists in the calendar.
    """
    metadata = subject.item.metadata
    if metadata.cost:
        yield from _cost(metadata.cost)
    promised = metadata.sla.provisioning_time if metadata.sla else None
    if promised is not None and not (parse_duration(promised) or _PERIOD.fullmatch(promised)):
        message = f"{promised[:80]!r} is not a duration"
        yield Problem(("metadata", "sla", "provisioningTime"), message, "write 30m, 4h or 2d")
    for path, text in walk_texts(subject.document.data.get("metadata"), ("metadata",)):
        if _DATE_LIKE.fullmatch(text) and not parse_date(text):
            yield Problem(path, f"{text} is not a valid date", "write it as 2027-01-31")


def _cost(cost: Cost) -> Iterator[Problem]:
    path: Path = ("metadata", "cost")
    if cost.base_monthly is not None and cost.base_monthly < 0:
        yield Problem((*path, "baseMonthly"), f"a cost of {cost.base_monthly} is negative")
    if cost.currency is not None and not _CURRENCY.fullmatch(cost.currency):
        message = f"{cost.currency[:80]!r} is not a currency"
        yield Problem((*path, "currency"), message, "write its code of three letters, such as EUR")
    if cost.base_monthly and cost.currency is None:
        yield Problem(path, "the cost has no currency", "add currency: EUR")


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
        message = f"has {length} characters" if length else "is missing"
        yield Problem(("metadata", "description"), f"the description {message}; write 50 to 500")


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
