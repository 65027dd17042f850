"""What is generated from the code is what the code says: schemas and pages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from catalog.loading import load_document
from pao.app.generate import ROOT, generated_files

FILES = generated_files()
SCHEMAS = sorted(name for name in FILES if name.startswith("catalog/schema/"))
SAMPLES = sorted((ROOT / "examples" / "catalog").glob("*/*.yaml"))


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_generated_file_is_up_to_date(name: str) -> None:
    file = ROOT / name

    assert file.is_file(), "run: make generate"
    assert file.read_text(encoding="utf-8") == FILES[name], "run: make generate"


def test_no_schema_of_a_gone_action_type_is_left() -> None:
    kept = {
        f"catalog/schema/actions/{file.name}"
        for file in (ROOT / "catalog/schema/actions").glob("*.json")
    }

    assert kept <= FILES.keys(), "run: make generate"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_of_the_draft_that_it_names(name: str) -> None:
    schema = json.loads(FILES[name])

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["description"]


def test_the_schemas_pass_the_checker_that_others_use() -> None:
    command = [str(Path(sys.executable).parent / "check-jsonschema"), "--check-metaschema"]
    files = [str(ROOT / name) for name in SCHEMAS]

    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)  # noqa: S603 -- files of ours

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_property_has_a_title_for_editors(name: str) -> None:
    schema = json.loads(FILES[name])
    for part in (schema, *schema["$defs"].values()):
        for key, one in part.get("properties", {}).items():
            assert {"title", "$ref"} & one.keys(), key


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_a_sample_names_its_schema_and_fits_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    definition = load_document(text, file=file.name).data

    assert first.startswith("# yaml-language-server: $schema=")
    named = (file.parent / first.partition("=")[2]).resolve()
    assert named.relative_to(ROOT).as_posix() in FILES
    Draft202012Validator(json.loads(named.read_text())).validate(definition)
