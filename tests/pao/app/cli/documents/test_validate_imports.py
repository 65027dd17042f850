"""Checking a file loads only what that takes: it runs at every save and every commit."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from activities.registry import action_schemas
from catalog.builtin_action_types import builtin_action_types
from tests.support.stack import SAMPLES

# Names of packages: whatever is imported below one imports it as well.
FOREIGN = {
    "activities.base",
    "activities.actions",
    "api",
    "atlassian",
    "boto3",
    "botocore",
    "db.models",
    "fastapi",
    "httpx",
    "requests",
    "sqlalchemy",
    "temporalio",
    "workflows",
}
PROGRAM = """
import json, sys
from pao.app.cli.main import main
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code or 0, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", str(SAMPLES / "storage/storage-s3-bucket.yaml")],
        ["validate", str(SAMPLES / "bundles")],
        ["preview", str(SAMPLES / "storage/storage-s3-bucket.yaml")],
        ["explain", "json-body"],
    ],
)
def test_a_document_is_checked_without_clients_workflows_and_sql(
    here: Path, arguments: list[str]
) -> None:
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", PROGRAM, "catalog", *arguments],
        cwd=here,
        capture_output=True,
        text=True,
        check=True,
    )

    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    assert not FOREIGN & set(modules)


def test_what_the_rules_read_from_the_file_is_what_the_types_say() -> None:
    real = action_schemas()

    assert builtin_action_types().keys() == real.keys()
    for name, schema in builtin_action_types().items():
        assert schema.config == real[name].config
        assert schema.outputs == real[name].outputs
        assert dict(schema.targets) == dict(real[name].targets)
