"""`pao catalog validate`: which documents a path means, what a change breaks, what is shown."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pao.app.cli.documents.folder import COUNT, DNS, Run, change, git
from tests.support.stack import SAMPLES

PAO = [sys.executable, "-c", "from pao.app.cli.main import main; main()", "catalog"]


@pytest.fixture
def repository(here: Path, catalog: Path) -> Path:
    """A Git repository whose catalog is committed."""
    git(here, "init", "-q")
    git(here, "add", ".")
    git(here, "commit", "-qm", "first")
    assert catalog.is_dir()
    return here


# Paths


def test_a_pattern_of_a_shell_means_the_documents_alone(pao: Run, catalog: Path) -> None:
    (catalog / "network/README.md").write_text("# Not a document: {{")
    entries = [str(path) for path in sorted((catalog / "network").iterdir())]

    result = pao("validate", *entries)

    assert result.exit_code == 0, result.output
    assert "README" not in result.output


@pytest.mark.usefixtures("catalog")
def test_a_folder_of_bundles_is_judged_within_its_catalog(pao: Run) -> None:
    result = pao("validate", "catalog/bundles")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 file: no findings" in result.stderr


def test_of_a_repository_its_catalog_is_judged(pao: Run, here: Path, catalog: Path) -> None:
    (here / "ci.yaml").write_text("on: push\n")
    assert catalog.is_dir()

    result = pao("validate", ".")

    assert result.exit_code == 0, result.output
    assert f"{COUNT} files: no findings" in result.stderr


def test_a_file_that_is_no_document_is_told_when_it_is_named_alone(pao: Run, here: Path) -> None:
    (here / "notes.txt").write_text("x")

    result = pao("validate", "notes.txt")

    assert result.exit_code == 2
    assert "not a YAML file" in result.stderr


def test_cases_named_alone_and_standard_input_beside_files_are_refused(
    pao: Run, here: Path, catalog: Path
) -> None:
    cases = catalog / "network/network-dns-record.tests"
    for path in (cases, cases / "address.yaml"):
        result = pao("validate", str(path))
        assert result.exit_code == 2
        assert "Run them: pao catalog test" in result.stderr

    assert "- means standard input" in pao("validate", "-", str(here)).stderr


def test_a_document_is_read_from_standard_input(here: Path) -> None:
    text = (SAMPLES / DNS).read_text().replace("version: 1.1.0", "version: one")
    program = [*PAO, "validate", "-"]

    done = subprocess.run(  # noqa: S603 -- our own program
        program, input=text, cwd=here, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("<stdin>:10:12: error: version 'one'")
    assert "file-name" not in done.stdout
    assert "   10 |   version: one" in done.stdout


def test_links_that_lead_nowhere_or_out_of_the_catalog_are_named(
    pao: Run, here: Path, catalog: Path
) -> None:
    (here / "elsewhere").mkdir()
    shutil.copy(catalog / DNS, here / "elsewhere/network-dns-copy.yaml")
    (catalog / "network/broken.yaml").symlink_to("nowhere.yaml")
    (catalog / "network/outward.yaml").symlink_to(here / "elsewhere/network-dns-copy.yaml")
    (catalog / "linked").symlink_to(here / "elsewhere")
    (catalog / "network/circle.yaml").symlink_to("circle.yaml")

    result = pao("validate", "catalog", "--short")

    assert result.exit_code == 1
    assert "catalog/network/broken.yaml:1:1: error: the file cannot be read" in result.stdout
    assert "catalog/network/outward.yaml:1:1: error: this link leads out" in result.stdout
    assert "catalog/linked:1:1: warning: this link to a folder is not followed" in result.stdout
    assert "catalog/network/circle.yaml:1:1: error: the file cannot be read" in result.stdout
    for path in ("catalog/network/nowhere.yaml", "catalog/network/circle.yaml"):
        assert pao("validate", path).exit_code == 2


# What a change means for files that did not change


def test_a_renamed_field_breaks_the_bundle_that_fills_it(pao: Run, repository: Path) -> None:
    item = repository / "catalog/databases/database-postgresql-standard.yaml"
    text = item.read_text().replace("instanceName", "databaseName")
    item.write_text(text.replace("version: 1", "version: 9", 1))

    result = pao("validate", "catalog", "--changed-since", "HEAD", "--short")

    assert result.exit_code == 1
    bundles = [line for line in result.stdout.splitlines() if line.startswith("catalog/bundles")]
    assert bundles
    assert all("[component-fields]" in line for line in bundles), result.stdout
    assert "1 file:" in result.stderr


def test_a_removed_item_breaks_bundle_and_replacement(pao: Run, repository: Path) -> None:
    redis = repository / "catalog/databases/database-redis-cache.yaml"
    standard = "replacement: database-postgresql-standard"
    change(redis, "deprecated: true", f"deprecated: true\n    {standard}")
    git(repository, "commit", "-qam", "second")
    (repository / "catalog/databases/database-postgresql-standard.yaml").unlink()

    result = pao("validate", "catalog", "--changed-since", "HEAD", "--short")

    assert result.exit_code == 1
    rules = {line.rsplit("[", 1)[-1].rstrip("]") for line in result.stdout.splitlines()}
    assert "component-item" in rules
    assert "breaking-change" in rules


def test_mistakes_of_files_that_nothing_touches_are_not_told(pao: Run, repository: Path) -> None:
    other = repository / "catalog/storage/storage-s3-bucket.yaml"
    change(other, "kind: CatalogItem", "kind: Nonsense")
    git(repository, "commit", "-qam", "second")
    change(repository / "catalog" / DNS, "version: 1.1.0", "version: 1.1.1")

    result = pao("validate", ".", "--changed-since", "HEAD")

    assert (result.exit_code, result.stdout) == (0, ""), result.output


# What is shown


def test_a_finding_shows_its_line_with_a_caret(pao: Run, catalog: Path) -> None:
    change(catalog / DNS, "version: 1.1.0", "version: one")

    shown = pao("validate", "catalog").stdout.splitlines()

    assert shown[1:] == ["   10 |   version: one", "      |            ^"]
    assert len(pao("validate", "catalog", "--short").stdout.splitlines()) == 1


def test_of_a_long_line_the_part_around_the_place_is_shown(pao: Run, catalog: Path) -> None:
    change(catalog / DNS, "DNS {{fields.record", "x" * 300 + "\t{{fields.rcord")

    line, caret = pao("validate", "catalog").stdout.splitlines()[1:3]

    assert len(line) <= 80
    assert line[caret.index("^") :].startswith("{{fields.rcord")


def test_a_rule_is_explained_with_its_examples(pao: Run) -> None:
    shown = pao("explain", "json-body").stdout
    document = json.loads(pao("explain", "json-body", "-o", "json").stdout)

    assert "made-up values" in shown
    assert '"size": {{fields.size}},}' in shown
    assert (document["id"], document["severity"]) == ("json-body", "error")
    assert "template-unread" in pao("explain").stdout
    assert pao("explain", "[json-body]").stdout == shown
    assert "Did you mean default-secret or secret-in-sight or" in pao("explain", "secret").stderr
    unknown = pao("explain", "json-bdy")
    assert unknown.exit_code == 2
    assert "json-body" in unknown.stderr


def test_schemas_are_handed_out(pao: Run, here: Path) -> None:
    schema = json.loads(pao("schema").stdout)
    assert schema["$id"].endswith("catalog-item")
    assert json.loads(pao("schema", "webhook").stdout)["title"] == "webhook"
    assert pao("schema", "nothing").exit_code == 2

    assert pao("schema", "--write", "schemas").exit_code == 0

    names = {file.stem for file in (here / "schemas").iterdir()}
    assert {"catalog-item", "catalog-bundle", "rest-api"} <= names


def test_documents_are_checked_again_when_a_file_is_saved(here: Path, catalog: Path) -> None:
    file = catalog / DNS
    program = [*PAO, "validate", str(file), "--watch"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603 -- our own program
        program, cwd=here, stderr=subprocess.PIPE, env=environment, text=True
    ) as watching:
        try:
            assert watching.stderr is not None
            assert "no findings" in watching.stderr.readline()
            change(file, "version: 1.1.0", "version: one")
            assert "1 error" in watching.stderr.readline()
        finally:
            watching.terminate()
