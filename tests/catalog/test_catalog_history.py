"""Changes since a Git revision: what breaks callers needs a new major version."""

import subprocess
from pathlib import Path

import pytest

from catalog.history import HistoryError, breaking_findings, changed_since
from catalog.loading import MAX_BYTES
from catalog.validation.changes import is_major

ITEM = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata: {id: database-small-one, name: Small, version: 1.2.0, category: databases}
presentation:
  form:
    groups:
      - id: all
        fields:
          - id: name
            type: string
            validation: {pattern: "^a", maxLength: 20}
          - id: size
            type: integer
            default: 1
            validation: {min: 1, max: 9}
          - id: kind
            type: select
            enum: [a, b, c]
          - {id: note, type: textarea}
          - {id: paper, type: file, validation: {maxSize: 5MB, types: [text/plain, image/png]}}
fulfillment:
  manual:
    actions:
      - {type: jira-ticket}
"""
FILE = "databases/database-small-one.yaml"


def git(folder: Path, *arguments: str) -> None:
    command = ["git", "-C", str(folder), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*command, *arguments], check=True, capture_output=True)  # noqa: S603 -- constants only


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q", "-b", "main")
    write(folder, ITEM)
    (folder / "catalog" / "README.md").write_text("Not a document.")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def write(repository: Path, text: str, file: str = FILE) -> None:
    target = repository / "catalog" / file
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def told(repository: Path) -> list[str]:
    changes = changed_since(repository / "catalog", "HEAD")
    return [str(finding) for finding in breaking_findings(changes)]


def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    """A hook judges the first commit as well."""
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, ITEM)
    git(tmp_path, "add", "-A")
    [change] = changed_since(tmp_path / "catalog", "HEAD")
    assert (change.file, change.before, change.after) == (FILE, None, ITEM.encode())
    with pytest.raises(HistoryError, match="'main' is not a revision"):
        changed_since(tmp_path / "catalog", "main")


def test_without_a_change_nothing_is_told(repository: Path) -> None:
    write(repository, ITEM)

    assert changed_since(repository / "catalog", "main") == []


@pytest.mark.parametrize(
    ("old", "new", "line", "part"),
    [
        ("          - {id: note, type: textarea}\n", "", 6, "'note' was removed"),
        ("id: note,", "id: notes,", 19, "'note' was renamed to 'notes'"),
        ("id: note,", "id: remark,", 19, "'note' was renamed to 'remark'"),
        ("type: textarea", "type: string", 19, "from textarea to string"),
        ("type: textarea", "type: textarea, required: true", 19, "is now required"),
        ("[a, b, c]", "[a, c, d]", 18, "no longer accepts: b"),
        ("max: 9", "max: 5", 15, "max of 'size' changed from 9 to 5"),
        ("min: 1", "min: 2", 15, "min of 'size'"),
        ('pattern: "^a", ', 'pattern: "^ab", ', 11, "the pattern of 'name'"),
        ("maxLength: 20", "maxLength: 10", 11, "maxLength of 'name'"),
        ("maxLength: 20", "minLength: 2", 11, "minLength of 'name' changed from nothing to 2"),
        ("max: 9", "max: 9, step: 2", 15, "step of 'size'"),
        ("5MB", "4MB", 20, "maxSize of 'paper' changed from 5MB to 4MB"),
        ("[text/plain, image/png]", "[text/plain]", 20, "types of 'paper'"),
        ("type: textarea}", "type: textarea, enum: [x]}", 19, "listed values"),
        (
            "          - {id: note, type: textarea}\n",
            (
                "          - {id: note, type: textarea}\n"
                "          - {id: more, type: string, required: true}\n"
            ),
            20,
            "new field 'more' is required",
        ),
    ],
)
def test_what_breaks_callers_needs_a_major_version(
    repository: Path, old: str, new: str, line: int, part: str
) -> None:
    assert old in ITEM
    changed = ITEM.replace(old, new, 1)
    write(repository, changed.replace("1.2.0", "1.3.0"))

    (finding,) = told(repository)

    assert finding.startswith(f"{FILE}:{line}:")
    assert part in finding
    assert "error" in finding
    assert "[breaking-change]" in finding

    write(repository, changed.replace("1.2.0", "2.0.0"))
    assert told(repository) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[a, b, c]", "[c, b, a, d]"),
        ("max: 9", "max: 10"),
        ("min: 1, ", ""),
        ('pattern: "^a", ', ""),
        ("5MB", "10MB"),
        ("[text/plain, image/png]", "[image/png, text/plain, text/csv]"),
        (
            "type: textarea}",
            "type: textarea}\n          - {id: more, type: string, required: true, default: x}",
        ),
        ("default: 1", "default: 2"),
        ("id: all", "id: everything"),
        ("type: textarea}", "type: textarea, required: true, default: x}"),
    ],
)
def test_what_takes_more_than_before_breaks_nobody(repository: Path, old: str, new: str) -> None:
    write(repository, ITEM.replace(old, new, 1).replace("1.2.0", "1.3.0"))

    assert told(repository) == []


def test_in_the_zero_versions_the_second_number_tells_of_a_break() -> None:
    assert is_major("0.1.4", "0.2.0")
    assert not is_major("0.1.4", "0.1.5")
    assert not is_major("1.9.0", "1.10.0")
    assert is_major("1.9.0", "2.0.0-rc.1")
    assert not is_major("2.0.0", "1.0.0")


def test_a_change_with_the_old_version_is_a_warning(repository: Path) -> None:
    write(repository, ITEM.replace("name: Small", "name: Tiny"))

    (finding,) = told(repository)

    assert "3:57: warning: the document changed, and its version is still 1.2.0" in finding


def test_an_item_is_deprecated_before_it_is_removed(repository: Path) -> None:
    (repository / "catalog" / FILE).unlink()
    (finding,) = told(repository)
    assert "the item 'database-small-one' was removed without" in finding

    write(repository, ITEM, "databases/moved.yaml")
    assert told(repository) == []
    (repository / "catalog" / "databases" / "moved.yaml").unlink()

    changes = changed_since(repository / "catalog", "HEAD")
    assert breaking_findings(changes, ids=["database-small-one"]) == []


def test_a_broken_file_is_left_to_the_other_rules(repository: Path) -> None:
    write(repository, "a: [")

    assert told(repository) == []


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD:README", "", "-h", "a b"])
def test_a_revision_that_is_none_is_refused_in_words(repository: Path, revision: str) -> None:
    with pytest.raises(HistoryError, match="is not a revision"):
        changed_since(repository, revision)


def test_a_folder_outside_of_git_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="not in a Git repository"):
        changed_since(tmp_path, "HEAD")


def test_of_a_file_that_is_too_large_only_so_much_is_read_that_it_shows(repository: Path) -> None:
    large = repository / "catalog/databases/large.yaml"
    large.write_bytes(b"a: " + b"x" * (3 * MAX_BYTES))
    try:
        [change] = [
            one for one in changed_since(repository, "HEAD") if one.file.endswith("large.yaml")
        ]
    finally:
        large.unlink()
    assert change.after is not None
    assert len(change.after) == MAX_BYTES + 1
