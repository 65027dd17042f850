import base64
import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pao.runtime.crypto import SecretBox, SecretUnreadableError, generate_key

# Fixed, because they appear in the names of tests, which must be alike in every test process.
OLD = f"k0:{base64.b64encode(b'0' * 32).decode()}"
NEW = f"k1:{base64.b64encode(b'1' * 32).decode()}"
CONTEXT = "request:7b0c:field:password"


@given(st.text())
def test_what_was_sealed_opens_again(text: str) -> None:
    box = SecretBox(NEW)
    token = box.seal(text, context=CONTEXT)
    assert box.open(token, context=CONTEXT) == text
    assert box.is_sealed(token)


def test_half_a_surrogate_pair_survives() -> None:
    box = SecretBox(NEW)
    assert box.open(box.seal("\ud800", context=CONTEXT), context=CONTEXT) == "\ud800"


def test_a_token_names_its_key_and_hides_its_text() -> None:
    token = SecretBox(NEW).seal("correct horse", context=CONTEXT)
    assert token.startswith("pao:enc:v1:k1:")
    assert "horse" not in token


def test_sealing_twice_gives_two_tokens() -> None:
    box = SecretBox(NEW)
    assert box.seal("same", context=CONTEXT) != box.seal("same", context=CONTEXT)


def test_a_new_key_in_front_seals_and_the_old_one_still_opens() -> None:
    old_token = SecretBox(OLD).seal("kept", context=CONTEXT)
    rotated = SecretBox(f"{NEW}, {OLD}")
    assert rotated.open(old_token, context=CONTEXT) == "kept"
    assert rotated.seal("x", context=CONTEXT).startswith("pao:enc:v1:k1:")


def test_a_secret_opens_only_in_the_place_it_was_sealed_for() -> None:
    box = SecretBox(NEW)
    token = box.seal("orders-db password", context=CONTEXT)
    with pytest.raises(SecretUnreadableError, match="another place") as caught:
        box.open(token, context="request:7b0d:field:password")
    assert "orders-db" not in str(caught.value)
    assert token not in str(caught.value)


def test_a_key_that_is_not_in_the_ring_is_named() -> None:
    token = SecretBox(OLD).seal("x", context=CONTEXT)
    with pytest.raises(SecretUnreadableError, match="'k0' is not in the key ring"):
        SecretBox(NEW).open(token, context=CONTEXT)


def test_another_key_with_the_same_id_does_not_open() -> None:
    token = SecretBox(f"k1:{generate_key()}").seal("x", context=CONTEXT)
    with pytest.raises(SecretUnreadableError, match="cannot be opened"):
        SecretBox(NEW).open(token, context=CONTEXT)


@given(st.integers(min_value=0))
def test_a_changed_token_does_not_open(position: int) -> None:
    box = SecretBox(NEW)
    token = box.seal("twelve bytes", context=CONTEXT)
    start = len("pao:enc:v1:k1:")
    at = start + position % (len(token) - start)
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    with pytest.raises(SecretUnreadableError):
        box.open(changed, context=CONTEXT)


@pytest.mark.parametrize(
    "token", ["", "plain", "pao:enc:v1:k1:", "pao:enc:v1:k1:A", "pao:enc:v1:k1:AAAA"]
)
def test_what_is_no_whole_token_is_unreadable(token: str) -> None:
    with pytest.raises(SecretUnreadableError):
        SecretBox(NEW).open(token, context=CONTEXT)


@pytest.mark.parametrize(
    "value", [None, 7, "", "secret", "pao:enc:v1:", "pao:enc:v2:k1:AAAA", "x pao:enc:v1:k1:AAAA"]
)
def test_other_values_are_not_sealed(value: object) -> None:
    assert not SecretBox.is_sealed(value)


@pytest.mark.parametrize(
    "keys",
    [
        "",
        "k1",
        "k1:",
        "k1:c2hvcnQ=",
        "k1:not*base64",
        NEW.replace("k1", "bad id"),
        f"{NEW},",
        f"{NEW},{NEW}",
    ],
)
def test_a_bad_key_ring_is_refused_without_repeating_it(keys: str) -> None:
    with pytest.raises(ValueError, match="encryption key") as caught:
        SecretBox(keys)
    assert NEW.partition(":")[2] not in str(caught.value)


def test_a_key_given_without_an_id_is_not_repeated() -> None:
    key = generate_key()
    with pytest.raises(ValueError, match="encryption key 1") as caught:
        SecretBox(key)
    assert key not in str(caught.value)


def test_a_box_shows_nothing_and_cannot_be_copied_out() -> None:
    box = SecretBox(NEW)
    assert repr(box) == str(box) == "SecretBox(...)"
    with pytest.raises(TypeError):
        pickle.dumps(box)
    with pytest.raises(TypeError):
        copy.copy(box)


def test_a_fingerprint_is_known_again_by_every_key_of_the_ring() -> None:
    mark = SecretBox(OLD).fingerprint(b"body")
    assert SecretBox(f"{NEW},{OLD}").has_fingerprint(b"body", mark)
    assert not SecretBox(f"{NEW},{OLD}").has_fingerprint(b"other", mark)
    assert not SecretBox(NEW).has_fingerprint(b"body", mark)
    assert not SecretBox(NEW).has_fingerprint(b"body", "k1:")


def test_a_fingerprint_is_of_no_use_without_the_key() -> None:
    other = SecretBox(f"k1:{generate_key()}")
    assert SecretBox(NEW).fingerprint(b"body") != other.fingerprint(b"body")


def test_a_fingerprint_is_no_signature_and_a_signature_no_fingerprint() -> None:
    box = SecretBox(f"k1:{generate_key()}")
    data = b"what a caller sent"
    assert box.verify(data, box.sign(data))
    assert not box.verify(data, box.fingerprint(data))
    assert not box.has_fingerprint(data, box.sign(data))
    assert not box.verify(b"something else", box.sign(data))


def test_a_signature_of_an_older_key_of_the_ring_still_counts() -> None:
    old = generate_key()
    signature = SecretBox(f"k1:{old}").sign(b"data")
    assert SecretBox(f"k2:{generate_key()},k1:{old}").verify(b"data", signature)
    assert not SecretBox(f"k1:{generate_key()}").verify(b"data", signature)
    assert not SecretBox(f"k1:{old}").verify(b"data", "k1:\ud800")
