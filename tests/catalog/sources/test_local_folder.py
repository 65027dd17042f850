"""A catalog in a folder: good files are served whatever the others look like."""

import hashlib
import os
from pathlib import Path

import pytest

from catalog.sources.files import catalog_root
from catalog.sources.source import SourceUnavailableError
from catalog.validation import ActionSchema
from tests.support.catalog_folder import LoadedCatalog, load_folder

KNOWN = {"jira-ticket": ActionSchema(config={"type": "object"})}
ITEM = """\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: {id}
  name: Item
  description: A description that is long enough to pass the rule about descriptions.
  version: 1.0.0
  category: tools
  owner: {{team: team-a}}
fulfillment: {{manual: {{actions: [{{type: jira-ticket}}]}}}}
"""


def write(root: Path, path: str, content: str) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def good(root: Path, identifier: str, path: str | None = None) -> Path:
    return write(root, path or f"tools/{identifier}.yaml", ITEM.format(id=identifier))


def load(root: Path) -> LoadedCatalog:
    return load_folder(root, KNOWN)


def test_an_item_is_loaded_with_its_definition_path_and_git_sha(tmp_path: Path) -> None:
    content = good(tmp_path, "tool-a-b").read_bytes()

    loaded = load(tmp_path).items["tool-a-b"]

    assert loaded.item.id == "tool-a-b"
    assert loaded.definition["metadata"]["version"] == "1.0.0"
    assert loaded.file_path == "tools/tool-a-b.yaml"
    assert loaded.sha == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 -- Git's own


def test_a_repository_holds_the_catalog_in_its_folder(tmp_path: Path) -> None:
    good(tmp_path, "tool-a-b", "catalog/tools/tool-a-b.yaml")
    write(tmp_path, ".github/workflows/ci.yaml", "on: push\n")
    write(tmp_path, "compose.yaml", "services: {}\n")

    catalog = load(tmp_path)

    assert (list(catalog.items), catalog.refused) == (["tool-a-b"], [])


def test_one_bad_file_never_blocks_the_others(tmp_path: Path) -> None:
    good(tmp_path, "tool-a-b")
    write(tmp_path, "tools/a.yaml", "a: [1\n")
    (tmp_path / "tools/b.yaml").write_bytes(b"\x00\xff" * 600_000)
    write(tmp_path, "tools/c.yml", "kind: Something\n")
    os.mkfifo(tmp_path / "tools/d.yaml")
    (tmp_path / "tools/e.yaml").mkdir()
    (tmp_path / "tools/f.yaml").symlink_to(tmp_path / "tools/nowhere.yaml")
    (tmp_path / "tools/g.yaml").symlink_to("h.yaml")
    (tmp_path / "tools/h.yaml").symlink_to("g.yaml")
    (tmp_path / "tools/round").symlink_to(".")

    catalog = load(tmp_path)

    assert list(catalog.items) == ["tool-a-b"]
    assert {finding.file for finding in catalog.refused} == {
        "tools/a.yaml",
        "tools/b.yaml",
        "tools/c.yml",
        "tools/d.yaml",
        "tools/f.yaml",
        "tools/g.yaml",
        "tools/h.yaml",
    }


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    secret = good(outside, "tool-secret-x")
    good(root, "tool-a-b")
    (root / "tools/file.yaml").symlink_to(secret)
    (root / "folder").symlink_to(outside, target_is_directory=True)

    catalog = load(root)

    assert (list(catalog.items), catalog.refused) == (["tool-a-b"], [])


def test_of_two_files_with_one_id_the_one_named_after_it_is_served(tmp_path: Path) -> None:
    good(tmp_path, "tool-a-b", "tools/another.yaml")
    good(tmp_path, "tool-a-b")

    catalog = load(tmp_path)

    assert catalog.items["tool-a-b"].file_path == "tools/tool-a-b.yaml"
    (finding,) = catalog.refused
    assert (finding.file, finding.rule) == ("tools/another.yaml", "duplicate-item")
    assert "tools/tool-a-b.yaml" in finding.message


def test_of_two_files_with_one_id_and_other_names_none_is_served(tmp_path: Path) -> None:
    good(tmp_path, "tool-a-b", "tools/one.yaml")
    good(tmp_path, "tool-a-b", "tools/two.yaml")

    catalog = load(tmp_path)

    assert catalog.items == {}
    assert [finding.rule for finding in catalog.refused] == ["duplicate-item"] * 2


def test_warnings_do_not_keep_an_item_out(tmp_path: Path) -> None:
    write(tmp_path, "tools/x.yaml", ITEM.format(id="x"))

    catalog = load(tmp_path)

    assert list(catalog.items) == ["x"]
    assert [finding.rule for finding in catalog.remarks] == ["item-id"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailableError):
        load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="name the folder"):
        catalog_root(tmp_path / "nowhere")
