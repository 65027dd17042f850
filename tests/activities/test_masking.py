import html
import json
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from activities.masking import SHORTEST_SECRET, hide_secrets

SECRET = st.text(st.characters(codec="utf-8"), min_size=SHORTEST_SECRET, max_size=40).filter(
    lambda text: text.strip("* \t\n") != ""
)


@given(secret=SECRET)
def test_a_secret_is_hidden_in_every_usual_escape(secret: str) -> None:
    for form in (
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    ):
        assert hide_secrets(f"<{form}>", [secret]) == "<********>"


@given(text=st.text())
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert hide_secrets(text, ["a secret that is not there", "abc", ""]) == text


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    assert hide_secrets("see hunter2-and-more", ["hunter2", "hunter2-and-more"]) == "see ********"
