"""The operator's secrets: each source, their order, and one that does not answer."""

import json
import socket
from pathlib import Path

import pytest

from pao.clients.secret_store import (
    CACHE_SECONDS,
    EnvironmentSecrets,
    FolderSecrets,
    ParameterStoreSecrets,
    SecretStore,
    SecretsUnavailableError,
    SecretUnusableError,
)
from tests.support.raw_servers import answering, raw_server


async def test_the_first_source_that_knows_a_name_answers(tmp_path: Path) -> None:
    (tmp_path / "both").write_text("from the folder\n")
    (tmp_path / "file").write_text("a file's\nlines\n")
    environ = {"PAO_SECRET_BOTH": "from the environment", "PAO_SECRET_EMPTY": "", "OTHER": "x"}
    store = SecretStore([EnvironmentSecrets(environ), FolderSecrets(tmp_path)])
    found = await store.find(["both", "file", "empty", "other", "absent"])
    assert found == {"both": "from the environment", "file": "a file's\nlines"}


async def test_a_blank_secret_is_none_and_the_next_source_is_asked(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, text in ((first, " \n"), (second, "set\n")):
        folder.mkdir()
        (folder / "one").write_text(text)
    (first / "two").write_text("")
    store = SecretStore([FolderSecrets(first), FolderSecrets(second)])
    assert await store.find(["one", "two"]) == {"one": "set"}


async def test_a_folder_is_read_anew_and_left_by_no_name(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "outside").write_text("x")
    (folder / "one").write_text("first")
    store = SecretStore([FolderSecrets(folder)])
    assert await store.find(["one", "../outside", "/etc/hostname", ""]) == {"one": "first"}
    (folder / "one").write_text("second")
    assert await store.find(["one"]) == {"one": "second"}


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"x" * (64 * 1024 + 1), "larger than 64 KB"), (b"\xff\xfe", "not UTF-8 text")],
)
async def test_a_file_that_cannot_be_used_whole_is_no_absent_secret(
    tmp_path: Path, content: bytes, told: str
) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(SecretUnusableError, match=f"'token' cannot be read.*{told}"):
        await SecretStore([FolderSecrets(tmp_path)]).find(["token"])


async def test_an_empty_file_counts_as_no_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    assert await SecretStore([FolderSecrets(tmp_path)]).find(["token"]) == {}


async def test_parameters_are_read_decrypted_under_the_prefix_and_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")

    def serve(connection: socket.socket, request: bytes) -> None:
        asked = json.loads(request.partition(b"\r\n\r\n")[2])
        assert asked["WithDecryption"] is True
        known = {"/pao/token": "from the store"}
        found = [{"Name": name, "Value": known[name]} for name in asked["Names"] if name in known]
        answering(json.dumps({"Parameters": found}).encode())(connection, request)

    with raw_server(serve) as server:
        source = ParameterStoreSecrets("/pao/", region="eu-west-1", endpoint=server.url)
        store = SecretStore([source])
        assert await store.find(["token"]) == {"token": "from the store"}
        assert await store.find(["token"]) == {"token": "from the store"}
        assert server.count == 1
        assert await store.find(["absent"]) == {}


async def test_a_secret_that_expires_while_another_is_read_is_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    now = 0.0

    def serve(connection: socket.socket, request: bytes) -> None:
        nonlocal now
        now += CACHE_SECONDS / 2 + 1
        asked = json.loads(request.partition(b"\r\n\r\n")[2])["Names"]
        found = [{"Name": name, "Value": f"value of {name}"} for name in asked]
        answering(json.dumps({"Parameters": found}).encode())(connection, request)

    with raw_server(serve) as server:
        store = ParameterStoreSecrets(
            "/pao", region="eu-west-1", endpoint=server.url, clock=lambda: now
        )
        await store.find(["first"])
        now += CACHE_SECONDS / 2
        found = await store.find(["first", "second"])
        assert found == {"first": "value of /pao/first", "second": "value of /pao/second"}
        await store.find(["first", "second"])
        asked = [json.loads(one.partition(b"\r\n\r\n")[2])["Names"] for one in server.requests]
        assert asked == [["/pao/first"], ["/pao/second"], ["/pao/first"]], "kept no longer for it"


async def test_a_store_that_is_away_is_told_without_a_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    source = ParameterStoreSecrets("/pao", region="eu-west-1", endpoint="http://127.0.0.1:1")
    with pytest.raises(SecretsUnavailableError, match="ssm:GetParameters"):
        await SecretStore([source]).find(["token"])
