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
        (("actions", "show", "jira"), "did you mean 'jira-ticket'?"),
        (("catalog", "schema", "catalog-itm"), "did you mean 'catalog-item'?"),
        (("config", "show", "--for", "wrker"), "did you mean 'worker'?"),
    ],
)
def test_a_word_that_is_nearly_right(pao: Pao, arguments: tuple[str, ...], meant: str) -> None:
    result = pao(*arguments)

    assert result.exit_code == 2
    assert meant in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "jsn", "request", "list"), "'jsn' is not one of table, wide, id, json, yaml; did"),
        (("request", "list", "--sort", "waitng"), "created, waiting; did you mean 'waiting'?"),
        (("request", "list", "--limit", "ten"), "'--limit': it must be a whole number"),
        (("request", "list", "--limit", "0"), "'--limit': it must be at least 1"),
        (("request", "list", "--timeout", "soon"), "'--timeout': it must be a number"),
        (("up", "--api-port", "70000"), "'--api-port': it must be at most 65535"),
    ],
)
def test_a_value_that_an_option_does_not_take(
    pao: Pao, arguments: tuple[str, ...], said: str
) -> None:
    result = pao(*arguments)

    assert result.exit_code == 2
    told = " ".join(result.stderr.replace("│", " ").split())
    assert said in told
    assert "Value error" not in told
    assert "Input should" not in told


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
