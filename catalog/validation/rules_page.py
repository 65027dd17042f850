"""Writes docs/rules.md: one section per rule, from the rules themselves and their examples."""

import inspect
from collections.abc import Iterator

from catalog.validation.changes import HISTORY_RULES
from catalog.validation.companion_rules import COMPANION_RULES
from catalog.validation.examples import RuleExample, examples
from catalog.validation.findings import Severity
from catalog.validation.folder import FOLDER_RULES
from catalog.validation.rules import RULES
from catalog.validation.structure import STRUCTURE_RULES
from catalog.validation.validator import INTERNAL_RULE

_HEAD = """# Rules

What catalog documents are checked for. Generated from the rules and their examples by `make
generate`: a bad example breaks exactly its rule, a good one breaks none.

`pao catalog validate` prints `file:line:column: severity: message (hint) [rule]`. A file with an
**error** is not served; a **warning** should be fixed, a **suggestion** could be. Examples show
only the relevant part of a document.
"""


def rules_page() -> str:
    """Return the page."""
    parts = [_HEAD, *_table(), ""]
    for identifier, title, severity, message in all_rules():
        parts += [*_section(identifier, title, severity, message), ""]
    return "\n".join(parts).rstrip() + "\n"


def all_rules() -> Iterator[tuple[str, str, Severity, str]]:
    """Yield id, title, severity and description of every rule, in the order of the page."""
    for identifier, title, message in STRUCTURE_RULES:
        yield identifier, title, Severity.ERROR, message
    for rule in RULES:
        yield rule.id, rule.title, rule.severity, inspect.getdoc(rule.check) or ""
    for one in FOLDER_RULES:
        yield one.id, one.title, one.severity, inspect.getdoc(one.check) or ""
    yield from HISTORY_RULES
    yield from COMPANION_RULES
    yield INTERNAL_RULE


def _table() -> Iterator[str]:
    yield "| rule | severity | |"
    yield "|---|---|---|"
    for identifier, title, severity, _ in all_rules():
        yield f"| [{identifier}](#{identifier}) | {severity} | {title} |"


def _section(identifier: str, title: str, severity: Severity, text: str) -> Iterator[str]:
    yield f"## {identifier}"
    yield ""
    yield f"**{title}** ({severity}). {_sentences(text)}"
    example = examples().get(identifier)
    if example is None:
        return
    yield ""
    if example.before:
        yield from _block("Before:", example.before, example)
    if example.owners:
        yield from ("CODEOWNERS:", "", "```text", example.owners, "```", "")
    yield from _block("Bad:", example.bad, example)
    yield from _block("Good:", example.good, example)


def _block(label: str, text: str, example: RuleExample) -> list[str]:
    return [label, "", f"```{example.language}", *text.splitlines(), "```", ""]


def _sentences(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")
