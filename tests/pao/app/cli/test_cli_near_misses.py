"""A word of the command line that is nearly right is answered with the right one."""

from pathlib import Path

import pytest

from tests.pao.app.cli.scripted import Pao


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("reqest", "list"), "Did you mean 'request'"),
        (("request", "lst"), "Did you mean 'list'?"),
        (("submit", "db"), "Did you mean 'pao request submit'?"),
        (("retyr",), "Did you mean 'pao request retry'?"),
        (("validate",), "Did you mean 'pao catalog validate'?"),
        (("verify",), "Did you mean 'pao db verify' or 'pao audit verify'?"),
        (("request", "list", "--statu", "failed"), "--status"),
        (("request", "list", "--status", "faild"), "did you mean 'failed'?"),
        (("request", "list", "--cause", "target-dwn"), "did you mean 'target-down'?"),
        (("actions", "show", "jira-tiket"), "did you mean 'jira-ticket'?"),
        (("config", "show", "--for", "wrker"), "did you mean 'worker'?"),
    ],
)
def test_a_word_that_is_nearly_right(pao: Pao, arguments: tuple[str, ...], meant: str) -> None:
    result = pao(*arguments)

    assert result.exit_code == 2
    assert meant in " ".join(result.stderr.replace("│", " ").split())


def test_a_word_that_is_nothing_like_any_other(pao: Pao) -> None:
    result = pao("xyzzy")

    assert result.exit_code == 2
    assert "Did you mean" not in result.stderr


def test_a_profile_that_is_nearly_right(pao: Pao, tmp_path: Path) -> None:
    (tmp_path / "pao").mkdir()
    (tmp_path / "pao" / "profiles.toml").write_text("[staging]\n[production]\n")

    result = pao("request", "list", "--profile", "prodution")

    assert result.exit_code == 2
    assert "did you mean 'production'?" in result.stderr
    assert "Known: production, staging" in result.stderr
