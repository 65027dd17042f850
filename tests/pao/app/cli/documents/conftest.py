"""The command line in a folder of its own, with the samples as its catalog."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pao.app.cli.main import app
from tests.pao.app.cli.documents.folder import Run
from tests.support.stack import SAMPLES


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pao(here: Path) -> Run:
    """Run ``pao catalog`` there."""
    del here

    def run(*args: str, typed: str | None = None) -> Result:
        clean = {"NO_COLOR": "1", "COLUMNS": "120", "PAO_URL": None, "CATALOG_PATH": None}
        result = CliRunner().invoke(app, ["catalog", *args], env=clean, input=typed)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def catalog(here: Path) -> Path:
    """The samples as ``catalog/`` there."""
    return Path(shutil.copytree(SAMPLES, here / "catalog"))
