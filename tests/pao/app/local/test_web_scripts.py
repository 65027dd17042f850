from pathlib import Path

import pytest

from pao.app.local import web_scripts


def test_what_is_there_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web_scripts.fetch()
    assert {one.name for one in web_scripts.FOLDER.glob("*.js")} == set(web_scripts.SCRIPTS)
    monkeypatch.setenv("PATH", str(tmp_path))
    web_scripts.fetch()
