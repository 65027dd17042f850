"""Files that mean harm or were made by accident: each is told, and the others are served."""

import socket
import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from activities.registry import action_schemas
from catalog.loading import MAX_BYTES, DocumentError, load_document
from catalog.validation import Finding, Severity, validate
from tests.support.catalog_folder import LoadedCatalog, load_folder

MEMORY = 20_000_000
GOOD = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: tool-good-one
  name: Good
  description: An item that stays in service whatever stands in the files beside it.
  version: 1.0.0
  category: tools
  owner: {team: team-a}
presentation:
  form:
    groups:
      - id: all
        name: All
        fields:
          - {id: name, name: Name, type: string}
fulfillment:
  manual:
    actions:
      - {type: jira-ticket, config: {ticket: {summaryTemplate: "{{json fields}}"}}}
"""
FIELD = "          - {id: name, name: Name, type: string}\n"
ACTION = '      - {type: jira-ticket, config: {ticket: {summaryTemplate: "{{json fields}}"}}}\n'


def with_field(*lines: str) -> str:
    return GOOD.replace(FIELD, FIELD + "".join(f"          - {line}\n" for line in lines))


def chain(length: int) -> list[str]:
    """Return fields each of which is shown by the one before."""
    shown = "conditional: {{dependsOn: f{}, condition: exists}}"
    return [
        f"{{id: f{n}, name: F, type: string{', ' + shown.format(n - 1) if n else ''}}}"
        for n in range(length)
    ]


def circle(length: int) -> list[str]:
    shown = "conditional: {{dependsOn: f{}, condition: exists}}"
    return [
        f"{{id: f{n}, name: F, type: string, {shown.format((n + 1) % length)}}}"
        for n in range(length)
    ]


def nested(levels: int) -> str:
    inner = "{dependsOn: name, condition: exists}"
    for _ in range(levels):
        inner = f"{{not: {inner}}}"
    return inner


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
DEEP = "{{" + "(" * 100 + "1" + ")" * 100 + "}}"
SCHEMA = "{{id: data, name: Data, type: json, validation: {{schema: {{$ref: '{}'}}}}}}"
# name: content, line, rule, part of what is told
BAD: dict[str, tuple[str | bytes, int, str, str]] = {
    "alias-bomb": (BOMB, 7, "yaml", "aliases make this document too large"),
    "brackets": ("a: " + "[" * 20_000, 1, "yaml", "nested deeper than 64"),
    "braces": ("{a: " * 20_000, 1, "yaml", "nested deeper than 64"),
    "indentation": ("".join(f"{' ' * n}a:\n" for n in range(900)), 65, "yaml", "nested deeper"),
    "duplicate": (
        GOOD.replace("  name: Good", "  name: Good\n  name: Bad"),
        6,
        "yaml",
        "duplicate key",
    ),
    "no": (GOOD.replace("type: string", "type: string, required: NO"), 16, "value-type", "true or"),
    "on": (GOOD.replace("name: All", "name: All\n        collapsible: on"), 15, "value-type", ""),
    "version": (GOOD.replace("1.0.0", "1.10"), 7, "version", "'1.10' is not a semantic version"),
    "digits": (GOOD.replace("1.0.0", "9" * 5_000), 7, "yaml", "a number has 5,000 digits"),
    "exponent": (GOOD.replace("1.0.0", "1e999999"), 7, "yaml", "too large for a number"),
    "infinite": (GOOD.replace("1.0.0", ".inf"), 7, "yaml", "not a JSON number"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00", 1, "yaml", "not UTF-8"),
    "zeros": (b"a: \x00\x00", 1, "yaml", "control character"),
    "latin": ("name: Größe".encode("latin-1"), 1, "yaml", "save the file as UTF-8"),
    "utf-16": (GOOD.encode("utf-16"), 1, "yaml", "UTF-8"),
    "tabs": (GOOD.replace("  name: Good", "\tname: Good"), 5, "yaml", "with spaces, not with tabs"),
    "empty": ("", 1, "yaml", "empty"),
    "comments": ("# nothing\n\n# else\n", 1, "yaml", "empty"),
    "list": ("- a\n- b\n", 1, "yaml", "a mapping of keys to values"),
    "several": (GOOD + "---\n" + GOOD, 21, "yaml", "one file holds one document"),
    "large": ("# " + "x" * 10_000_000, 1, "yaml", "at most 1,000,000 are read"),
    "tag": (GOOD.replace("1.0.0", "!!python/object/apply:os.system [id]"), 7, "yaml", "the tag"),
    "merge": ("a: &a {b: 1}\nc:\n  <<: *a\n", 3, "yaml", "merge keys"),
    "lookahead": (
        with_field("{id: x, name: X, type: string, validation: {pattern: '^(?=a).*$'}}"),
        17,
        "constraint",
        "RE2",
    ),
    "repeats": (
        with_field("{id: x, name: X, type: string, validation: {pattern: '^(a{900}){900}$'}}"),
        17,
        "constraint",
        "RE2",
    ),
    "ref-http": (
        with_field(SCHEMA.format("http://127.0.0.1:9/x")),
        17,
        "constraint",
        "only references inside",
    ),
    "ref-file": (
        with_field(SCHEMA.format("file:///etc/passwd")),
        17,
        "constraint",
        "only references inside",
    ),
    "circle": (with_field(*circle(3)), 17, "condition-cycle", "f0 -> "),
    "long-circle": (with_field(*circle(500)), 17, "condition-cycle", "cycle"),
    "fields": (with_field(*chain(1_001)), 15, "value-type", "more than 1000 entries"),
    "conditions": (
        with_field(f"{{id: x, name: X, type: string, conditional: {nested(200)}}}"),
        17,
        "yaml",
        "nested deeper",
    ),
    "actions": (GOOD.replace(ACTION, ACTION * 300), 19, "value-type", "more than 200 entries"),
    "template": (GOOD.replace("{{json fields}}", DEEP), 20, "template", "template-limit"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("catalog") / "tools"
    root.mkdir()
    (root / "tool-good-one.yaml").write_text(GOOD)
    for name, (content, *_) in BAD.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (root / f"{name}.yaml").write_bytes(
            raw.replace(b"tool-good-one", f"tool-bad-{name}".encode())
        )
    return root.parent


@pytest.fixture(scope="module")
def loaded(folder: Path) -> LoadedCatalog:
    return load_folder(folder, action_schemas())


@pytest.mark.parametrize("name", ["alias-bomb", "brackets", "braces", "large", "digits", "binary"])
def test_what_is_made_to_grow_takes_little_memory(folder: Path, name: str) -> None:
    content = (folder / "tools" / f"{name}.yaml").read_bytes()[: MAX_BYTES + 1]
    tracemalloc.start()
    try:
        with pytest.raises(DocumentError):
            load_document(content, file=name)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MEMORY


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_file_is_told_where_and_why(loaded: LoadedCatalog, name: str) -> None:
    _, line, rule, part = BAD[name]

    found = [one for one in loaded.refused if one.file == f"tools/{name}.yaml"]

    told = [str(one)[:200] for one in found]
    assert (line, rule) in [(one.line, one.rule) for one in found], told
    assert any(part in one.message for one in found if one.rule == rule), told
    assert all(one.column >= 1 for one in found)


def test_the_good_file_beside_them_is_served(loaded: LoadedCatalog) -> None:
    assert list(loaded.items) == ["tool-good-one"]
    assert {one.file for one in loaded.refused} == {f"tools/{name}.yaml" for name in BAD}


def findings(text: str | bytes) -> list[Finding]:
    result = validate(text, file="tools/tool-good-one.yaml", known_actions=action_schemas())
    return [one for one in result.findings if one.severity is not Severity.SUGGESTION]


@pytest.mark.parametrize(
    "text",
    [GOOD, GOOD.encode("utf-8-sig"), GOOD.replace("\n", "\r\n"), GOOD + "...\n", "---\n" + GOOD],
    ids=["plain", "byte order mark", "CRLF", "end mark", "start mark"],
)
def test_what_editors_leave_in_a_file_does_no_harm(text: str | bytes) -> None:
    assert findings(text) == []


def test_a_form_of_five_hundred_fields_in_a_chain_is_judged() -> None:
    text = with_field(*chain(500))
    item = validate(text, file="tools/tool-good-one.yaml", known_actions=action_schemas()).item

    assert findings(text) == []
    assert item is not None
    values = {f"f{n}": "x" for n in range(500)}
    assert item.form.validate(values, date(2026, 3, 5)).valid
    assert not item.form.validate(values | {"f3": None}, date(2026, 3, 5)).valid
    assert len(item.form.json_schema()["properties"]) == 501


def test_a_pattern_that_backtracks_elsewhere_is_judged_in_a_moment() -> None:
    text = with_field("{id: x, name: X, type: string, validation: {pattern: '^(a+)+$'}}")
    item = validate(text, file="tools/tool-good-one.yaml", known_actions=action_schemas()).item

    assert item is not None
    result = item.form.validate({"x": "a" * 50_000 + "!"}, date(2026, 3, 5))
    assert [error.constraint for error in result.errors] == ["pattern"]


def test_a_reference_in_a_schema_is_never_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"

        rules = [one.rule for one in findings(with_field(SCHEMA.format(address)))]

        assert rules == ["constraint"]
        with pytest.raises(BlockingIOError):
            server.accept()


def test_thousands_of_mistakes_are_told_up_to_a_bound() -> None:
    wrong = "".join(f"  kay{n}: 1\n" for n in range(5_000))
    found = findings(GOOD.replace("presentation:\n", "presentation:\n" + wrong))

    assert 0 < len(found) <= 1_000
    assert found[0].line == 11


def test_of_a_template_with_thousands_of_wrong_names_the_first_are_told() -> None:
    found = findings(GOOD.replace("{{json fields}}", "{{fields.nam}}" * 5_000))

    assert [one.rule for one in found] == ["template"] * 20
