"""CODEOWNERS in both dialects: which line decides about a file, and which lines are skipped."""

import pytest

from catalog.ownership import MAX_BYTES, CodeOwnersDialect, parse
from catalog.ownership.code_owners import MAX_RULES

GITHUB, GITLAB = CodeOwnersDialect.GITHUB, CodeOwnersDialect.GITLAB


def owners(text: str, path: str, dialect: CodeOwnersDialect = GITHUB) -> str:
    return " ".join(parse(text.encode(), dialect).owners(path))


@pytest.mark.parametrize(
    ("pattern", "covered", "left_out"),
    [
        ("*", ["a", "a/b/c.yaml"], []),
        ("**", ["a", "a/b"], []),
        ("*.js", ["a.js", "x/y/a.js", "lib.js/inner"], ["a.jsx", "js"]),
        ("/*.js", ["a.js"], ["x/a.js"]),
        ("/build/logs/", ["build/logs/a", "build/logs/b/c"], ["x/build/logs/a", "build/logs"]),
        ("docs/*", ["docs/a.md"], ["docs/b/a.md", "x/docs/a.md"]),
        ("/docs/*", ["docs/a.md"], ["docs/b/a.md"]),
        ("docs/a*", ["docs/a.md", "docs/ab/c"], ["docs/b"]),
        ("apps/", ["apps/a", "x/apps/b/c"], ["apps", "x/apps"]),
        ("/docs", ["docs", "docs/a/b"], ["x/docs/a", "docs2/a"]),
        ("docs/", ["docs/a", "x/docs/a"], ["docs"]),
        ("**/logs", ["logs/a", "build/logs/a", "a/b/logs"], ["logs2/a"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "x/a/b"]),
        ("a/**/z", ["a/z", "a/b/c/z", "a/z/below"], ["z", "a/b"]),
        ("catalog/data?ase/", ["catalog/database/x.yaml"], ["catalog/data/ase/x.yaml"]),
        ("/catalog/**/*.yaml", ["catalog/x.yaml", "catalog/a/b/x.yaml"], ["catalog/x.yml"]),
        (r"/with\ space/", ["with space/a"], ["with/a"]),
        (r"a\*b", ["a*b"], ["axb"]),
        ("name#1", ["name#1"], ["name"]),
        ("*a*a*a*a*a*a*a*a*a*b", [], ["a" * 200]),
        ("/".join(["**/a"] * 20) + "/b", [], ["/".join("a" * 200)]),
        ("Docs/", ["Docs/a"], ["docs/a"]),
        ("a**z", ["az", "abcz"], ["a/z"]),
    ],
)
def test_a_pattern_of_github_covers_what_github_says(
    pattern: str, covered: list[str], left_out: list[str]
) -> None:
    found = parse(f"{pattern} @o/t".encode(), GITHUB)
    assert not found.skipped
    assert {path: found.owners(path) for path in covered} == dict.fromkeys(covered, ("@o/t",))
    assert {path: found.owners(path) for path in left_out} == dict.fromkeys(left_out, ())


@pytest.mark.parametrize(
    ("pattern", "covered", "left_out"),
    [
        ("*", ["a", "a/b"], []),
        ("*.rb", ["a.rb", "x/y/a.rb"], ["a.rbx", "a.rb/x"]),
        ("README.md", ["README.md", "docs/README.md"], ["README.md/x"]),
        ("docs", ["docs", "x/docs"], ["docs/a"]),
        ("/docs", ["docs"], ["docs/a"]),
        ("/docs/", ["docs/a", "docs/b/c"], ["x/docs/a"]),
        ("lib/", ["lib/a", "x/lib/b/c"], ["lib"]),
        ("/docs/*", ["docs/a"], ["docs/b/c"]),
        ("/docs/**", ["docs/a"], ["docs/b/c"]),
        ("/docs/**/*.md", ["docs/a.md", "docs/b/c/a.md"], ["docs/a.txt"]),
        ("internal/README.md", ["internal/README.md", "x/internal/README.md"], ["README.md"]),
        ("*.[ch]", ["a.c", "x/a.h"], ["a.d"]),
        ("a[!0-9]", ["ab"], ["a1"]),
        (r"\#file.rb", ["#file.rb"], ["file.rb"]),
        (r"path\ with\ spaces/", ["path with spaces/a"], ["path/a"]),
        (".hidden/*", [".hidden/a", "x/.hidden/a"], []),
    ],
)
def test_a_pattern_of_gitlab_covers_what_gitlab_says(
    pattern: str, covered: list[str], left_out: list[str]
) -> None:
    found = parse(f"{pattern} @g".encode(), GITLAB)
    assert not found.skipped
    assert {path: found.owners(path) for path in covered} == dict.fromkeys(covered, ("@g",))
    assert {path: found.owners(path) for path in left_out} == dict.fromkeys(left_out, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* @o/all\n/catalog/ @o/catalog", "@o/catalog"),
        ("/catalog/ @o/catalog\n* @o/all", "@o/all"),
        ("* @o/all\n/catalog/", ""),
        ("* @o/a @o/b\tann@example.com @ann", "@o/a @o/b ann@example.com @ann"),
        ("* @o/a #@o/b said so", "@o/a"),
        ("* @o/a# @o/b", ""),
        ("  * @o/a  \r\n", "@o/a"),
        ("\ufeff* @o/a", "@o/a"),
        ("# * @o/a", ""),
        ("* @enterprise_user", "@enterprise_user"),
        ("", ""),
    ],
)
def test_the_last_line_of_github_decides(text: str, expected: str) -> None:
    assert owners(text, "catalog/database/x.yaml") == expected


@pytest.mark.parametrize(
    ("line", "why", "column"),
    [
        ("*.txt docs@", "is not an owner", 7),
        ("* ann", "is not an owner", 3),
        ("* @o/a, @o/b", "is not an owner", 3),
        ("* @o/a/b", "is not an owner", 3),
        ("***/*.rb @o/a", "write **", 1),
        ("a[bc] @o/a", "range", 1),
        ("!a @o/a", "negated", 1),
        (r"\#a @o/a", "escaped", 1),
        ("a\\", "backslash", 1),
        ("/ @o/a", "matches nothing", 1),
    ],
)
def test_a_line_that_github_skips_is_told_and_decides_nothing(
    line: str, why: str, column: int
) -> None:
    found = parse(f"* @o/before\n{line}\n".encode(), GITHUB)
    (skipped,) = found.skipped
    assert (skipped.line, skipped.column) == (2, column)
    assert why in skipped.why
    assert found.owners("a.txt") == ("@o/before",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* @all\n[Docs]\n*.yaml @docs", "@all @docs"),
        ("[A] @one @two\n*.yaml", "@one @two"),
        ("[A] @one\n*.yaml @own", "@own"),
        ("[A]\n*.yaml @one\n[B]\n*.md @b\n[a]\n*.yaml @two", "@two"),
        ("^[Optional][2] @o\n*.yaml", "@o"),
        ("[A]\n* @one\n!catalog/\n*.yaml @two", ""),
        ("[A]\n* @one\n!catalog/\n[B]\n* @two", "@two"),
        ("* @one nobody ann@example.com @group/sub", "@one ann@example.com @group/sub"),
        ("* @one # told by @two", "@one @two"),
        ("* @@maintainer", "@@maintainer"),
        ("* nobody\n", ""),
        (
            "* (@one),ann+b@c.example.com.@two@three a@b x_@y.example",
            "@one ann+b@c.example.com @two @three @b x_@y.example",
        ),
    ],
)
def test_every_section_of_gitlab_decides_for_itself(text: str, expected: str) -> None:
    assert owners(text, "catalog/x.yaml", GITLAB) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [("* nobody", "no owner"), ("*.yaml", "no owner"), ("[Broken\n", "cannot be read")],
)
def test_a_line_that_gitlab_skips_is_told(text: str, why: str) -> None:
    assert why in parse(text.encode(), GITLAB).skipped[0].why


def test_a_file_is_bounded() -> None:
    large = parse(b"* @o/a\n" + b"#" * MAX_BYTES, GITHUB)
    assert (large.owners("a"), large.skipped[0].line) == ((), 1)
    long = parse(b"* @o/a\n" * (MAX_RULES + 1), GITHUB)
    assert "10,000" in long.skipped[0].why
    assert long.owners("a") == ()
    assert len(parse(b"* nobody\n" * 500, GITHUB).skipped) == 100


# Hours, if the time grew with the square of the length.
@pytest.mark.parametrize("dialect", CodeOwnersDialect)
@pytest.mark.parametrize("unit", [b"a", b"a@", b"a@b.", b"@a/", b". ", b"\\", b"[", b" "])
def test_a_file_of_a_million_characters_is_read_in_a_moment(
    dialect: CodeOwnersDialect, unit: bytes
) -> None:
    found = parse(b"* @first\n* x" + unit * (1_000_000 // len(unit)), dialect)

    assert found.dialect is dialect
    assert len(found.skipped) <= 1


def test_bytes_that_are_no_text_are_no_error() -> None:
    assert parse(b"\xff\xfe @o/a\n* @o/b\n", GITHUB).owners("x") == ("@o/b",)
