"""Answers that are longer than what is read of them: what a cut has left of a secret is masked."""

from dataclasses import dataclass, field

import pytest

from pao.clients.github.github_errors import refusal as github_refusal
from pao.clients.gitlab.gitlab_errors import refusal as gitlab_refusal
from pao.runtime.masking import hide_secrets

SECRET = "s3cret-of-the-operator"


@dataclass(frozen=True)
class Answer:
    """An answer as both clients read it."""

    body: bytes
    truncated: bool = False
    status: int = 403
    headers: dict[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    "message",
    [
        gitlab_refusal("read", Answer(b"no " * 3_327 + f"token {SECRET}".encode())).message,
        github_refusal(
            "GitHub", "read", Answer(b"no token s3cret-of-the", truncated=True), effect=False
        ).message,
    ],
    ids=["GitLab", "GitHub"],
)
def test_the_beginning_of_a_secret_is_hidden_where_an_answer_was_cut(message: str) -> None:
    assert "s3cr" in message
    assert "s3cr" not in hide_secrets(message, [SECRET])
