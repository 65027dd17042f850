from pathlib import Path

import pytest

from pao.app.local import web_scripts


def test_what_is_there_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web_scripts.fetch()
    assert web_scripts.missing() == []
    assert {one.name for one in web_scripts.FOLDER.glob("*.js")} == set(web_scripts.SCRIPTS)
    monkeypatch.setenv("PATH", str(tmp_path))
    web_scripts.fetch()


def test_what_could_not_be_fetched_is_named(tmp_path: Path) -> None:
    (tmp_path / "htmx.min.js").touch()
    assert web_scripts.missing(tmp_path) == ["hx-sse.min.js"]
