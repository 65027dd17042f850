"""A restore on the command line: what it refuses, and in which words."""

import json
import os
from pathlib import Path

import pytest

from pao.app.cli.exits import ExitCode
from pao.app.local.machine.installation import NOT_CLEANED
from pao.app.local.postgres_files import installed_programs
from pao.runtime.crypto import generate_key
from tests.pao.app.cli.scripted import Pao
from tests.support.postgres import Database


@pytest.fixture
def variables(database: Database) -> dict[str, str]:
    return {
        "DATABASE_URL": database.service_url,
        "PAO_MIGRATION_DATABASE_URL": database.owner_url,
        "PAO_ENCRYPTION_KEYS": f"k1:{generate_key()}",
        "PATH": f"{installed_programs()}{os.pathsep}{os.environ['PATH']}",
    }


def test_a_restore_wants_the_keys_of_the_backup_and_an_empty_database(
    pao: Pao, variables: dict[str, str], tmp_path: Path
) -> None:
    made = pao("keys", "create", "--user", "eva", "-o", "json", **variables)
    assert made.exit_code == 0, made.stderr
    backup = pao("backup", str(tmp_path), "-o", "json", **variables)
    assert backup.exit_code == 0, backup.stderr
    folder = json.loads(backup.stdout)["folder"]
    assert (
        json.loads(made.stdout)["secretAccessKey"] not in Path(folder, "manifest.json").read_text()
    )

    keys = variables["PAO_ENCRYPTION_KEYS"]
    for given, said in (
        ("", "PAO_ENCRYPTION_KEYS is missing"),
        (f"k1:{generate_key()}", "'k1' cannot be opened"),
        (f"k2:{generate_key()}", "encryption key 'k1' is not in the key ring"),
    ):
        refused = pao("restore", folder, "--replace", **{**variables, "PAO_ENCRYPTION_KEYS": given})
        assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr
        assert "--lost-keys" in refused.stderr
    refused = pao("restore", folder, **variables)
    assert (refused.exit_code, "Not empty: pao" in refused.stderr) == (2, True), refused.stderr

    refused = pao("backup", "/dev/null/backups", **variables)
    assert (refused.exit_code, "Not a directory" in refused.stderr) == (1, True), refused.stderr
    (tmp_path / "2026-01-31T023000.000001Z" / "manifest.json").mkdir(parents=True)
    again = pao("backup", str(tmp_path), "--keep", "1", "-o", "json", **variables)
    [stays] = json.loads(again.stdout)["notRemoved"]
    assert (again.exit_code, int(ExitCode.NOT_CLEANED)) == (NOT_CLEANED, NOT_CLEANED)
    assert f"{stays['path']} ({stays['reason']})" in again.stderr
    folder = json.loads(again.stdout)["folder"]

    ring = f"k2:{generate_key()},{keys}"
    variables["PAO_ENCRYPTION_KEYS"] = ring
    both = pao(
        "backup",
        str(tmp_path),
        "--with",
        "other=PAO_MIGRATION_DATABASE_URL",
        "-o",
        "json",
        **variables,
    )
    folder = json.loads(both.stdout)["folder"]
    done = pao("restore", folder, "--replace", **variables)
    assert (done.exit_code, done.stdout) == (0, f"✓ pao restored from {folder}.\n"), done.stderr
    assert "also holds other" in done.stderr
    told = json.loads(pao("restore", folder, "--replace", "-o", "json", **variables).stdout)
    assert (told["restored"], told["notRestored"]) == (["pao"], ["other"])
    assert pao("keys", "list", "--user", "eva", **variables).stdout.count("valid") == 1
