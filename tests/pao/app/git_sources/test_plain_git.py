"""A catalog in any repository, by git's own protocol and program."""

import asyncio
import base64
import shutil
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from catalog.ownership import OwnershipMode
from catalog.sources.source import (
    FilesTooLongError,
    Listing,
    ListingContext,
    SourceCommit,
    SourceGoneError,
    SourceLimitedError,
    SourceRefusedError,
    SourceUnavailableError,
    Unchanged,
)
from pao.app.git_sources.blobs import MAX_UNLISTED
from pao.app.git_sources.git_commands import GitRemote
from pao.app.git_sources.plain_git import GitLocation, GitSource
from pao.clients.outgoing import EgressRules
from tests.support.git import commit_files, git, git_server
from tests.support.git_sources import Reader, items

Open = Callable[..., Reader]


@asynccontextmanager
async def refusing(heard: list[str], answer: str = "403 Forbidden") -> AsyncIterator[str]:
    """Serve this to everything, and note the credentials that come."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heard.extend(
            line.partition(": ")[2]
            for line in head.splitlines()
            if line.lower().startswith("authorization: ")
        )
        text = f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(text.encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("git")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    with git_server(folder) as url:
        yield url


@pytest.fixture
def repository(folder: Path, request: pytest.FixtureRequest) -> Path:
    path = folder / "".join(sign for sign in str(request.node.name) if sign.isalnum())
    commit_files(path, {"catalog/database/a.yaml": "a: 1\n", "README.md": "# Catalog\n"})
    git(path, "config", "uploadpack.allowFilter", "true")
    return path


@pytest.fixture
async def opened(server: str, repository: Path) -> AsyncIterator[Open]:
    readers: list[Reader] = []

    def open_source(  # noqa: PLR0913 -- what a test may choose
        *,
        url: str | None = None,
        ownership: str = "off",
        branch: str = "main",
        folder: str = "catalog",
        rules: str = "127.0.0.1",
        token: str | None = None,
    ) -> Reader:
        remote = GitRemote(
            url=url or f"{server}/{repository.name}/.git",
            token=SecretStr(token) if token else None,
            rules=EgressRules.parse([rules]),
        )
        place = GitLocation(branch=branch, folder=folder, ownership=OwnershipMode(ownership))
        reader = Reader(GitSource(remote, place, seconds=30))
        readers.append(reader)
        return reader

    yield open_source
    for reader in readers:
        await reader.source.close()


def source(reader: Reader) -> GitSource:
    assert isinstance(reader.source, GitSource)
    return reader.source


async def counted(reader: Reader) -> tuple[type, int]:
    before = source(reader).git.calls
    found = await reader.read()
    return type(found), source(reader).git.calls - before


async def test_a_folder_is_listed_and_its_contents_come_at_once(
    repository: Path, opened: Open
) -> None:
    files = items(120)
    sha = commit_files(repository, files)
    reader = opened()
    # The tip, the trees, the contents.
    assert await counted(reader) == (Listing, 3)
    assert len(reader.texts()) == 121
    assert reader.texts()["database/item-0007.yaml"] == files["catalog/database/item-0007.yaml"]
    assert reader.revision == sha
    assert await counted(reader) == (Unchanged, 1)
    commit_files(repository, {"README.md": "x"})
    assert await counted(reader) == (Unchanged, 2)
    commit_files(repository, {"catalog/database/a.yaml": "a: 2\n"})
    found = await reader.read()
    assert isinstance(found, Listing)
    assert found.commit is not None
    assert (found.commit.subject, found.commit.author) == ("change", "a")
    assert reader.texts()["database/a.yaml"] == "a: 2\n"


async def test_contents_are_byte_for_byte_what_was_committed(
    repository: Path, opened: Open
) -> None:
    exact = "a: 1\r\n# $Id$ $Format:%H$\r\n"
    (repository / "catalog" / "exact.yaml").write_bytes(exact.encode())
    attributes = "*.yaml text eol=lf ident export-subst filter=lfs\n"
    git(repository, "-c", "core.autocrlf=false", "add", "catalog/exact.yaml")
    git(repository, "commit", "-q", "-m", "exact")
    (repository / ".gitattributes").write_text(attributes)
    git(repository, "add", ".gitattributes")
    git(repository, "commit", "-q", "-m", "attributes")
    reader = opened()
    await reader.read()
    assert reader.texts()["exact.yaml"] == exact


async def test_a_file_that_nobody_should_have_in_memory_is_named(
    repository: Path, opened: Open
) -> None:
    commit_files(repository, {"catalog/huge.yaml": "#" * (MAX_UNLISTED + 1)})
    reader = opened()
    with pytest.raises(FilesTooLongError, match="longer than 10 MB") as told:
        await reader.read()
    assert told.value.blobs == {reader.entries["huge.yaml"].blob}


async def test_odd_names_links_and_submodules_are_listed_as_they_are(
    repository: Path, opened: Open
) -> None:
    latin = {f"catalog/{name}.yaml": "x" for name in ("\udce8", "\udce9")}
    commit_files(repository, {"catalog/a b\u00e9\n.yaml": "x", **latin})
    (repository / "catalog" / "link.yaml").symlink_to("a.yaml")
    git(repository, "add", ".")
    sha = git(repository, "rev-parse", "HEAD")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{sha},catalog/sub")
    git(repository, "commit", "-q", "-m", "odd")
    reader = opened()
    await reader.read()
    modes = {path: entry.mode for path, entry in reader.entries.items()}
    assert modes == {
        "a b\u00e9\n.yaml": "100644",
        "database/a.yaml": "100644",
        "link.yaml": "120000",
        "\\xe8.yaml": "100644",
        "\\xe9.yaml": "100644",
        "sub": "160000",
    }


@pytest.mark.parametrize("date", ["@1700000000 +9959", "@253402337000 -1400"])
async def test_a_commit_of_an_impossible_time_is_read_without_it(
    repository: Path, opened: Open, date: str
) -> None:
    git(repository, "commit", "-q", "--allow-empty", "-m", "odd", committer_date=date)
    found = await opened().read()
    assert found.commit == SourceCommit(found.revision, "odd", "a", None)


async def test_rewritten_history_is_followed(repository: Path, opened: Open) -> None:
    commit_files(repository, {"catalog/x.yaml": "x"})
    reader = opened()
    await reader.read()
    git(repository, "reset", "-q", "--hard", "HEAD~1")
    sha = commit_files(repository, {"catalog/y.yaml": "y"})
    await reader.read()
    assert reader.revision == sha
    assert sorted(reader.texts()) == ["database/a.yaml", "y.yaml"]


async def test_a_repository_that_was_made_anew_with_longer_ids_is_read(
    repository: Path, opened: Open
) -> None:
    reader = opened()
    await reader.read()
    shutil.rmtree(repository / ".git")
    git(repository, "init", "-q", "-b", "main", "--object-format=sha256")
    sha = commit_files(repository, {"catalog/b.yaml": "b: 1\n", "README.md": "#\n"})
    await reader.read()
    assert (reader.revision, len(sha)) == (sha, 64)
    assert reader.texts() == {"b.yaml": "b: 1\n", "database/a.yaml": "a: 1\n"}
    sha = commit_files(repository, {"catalog/b.yaml": "b: 2\n"})
    await reader.read()
    assert reader.texts()["b.yaml"] == "b: 2\n"


async def test_a_cache_that_vanishes_is_made_anew(repository: Path, opened: Open) -> None:
    """Cleaners of temporary files know nothing of a worker that runs for weeks."""
    reader = opened()
    listed = await reader.read()
    assert isinstance(listed, Listing)
    shutil.rmtree(source(reader)._home)
    assert list((await source(reader).contents(listed.revision, listed.entries)).values()) == [
        b"a: 1\n"
    ]
    shutil.rmtree(source(reader)._home)
    sha = commit_files(repository, {"catalog/database/a.yaml": "a: 2\n"})
    await reader.read()
    assert (reader.revision, reader.texts()) == (sha, {"database/a.yaml": "a: 2\n"})


async def test_another_process_needs_no_cache(opened: Open) -> None:
    first, second = opened(), opened()
    found = await first.source.listing(first_known(first))
    assert isinstance(found, Listing)
    contents = await second.source.contents(found.revision, found.entries)
    assert list(contents.values()) == [b"a: 1\n"]


def first_known(reader: Reader) -> ListingContext:
    return ListingContext(reader.revision, reader.memory)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"branch": "live"}, r"no branch live \(its default branch is main\)"),
        ({"folder": "items"}, "no folder items"),
    ],
)
async def test_what_is_not_there_is_gone(opened: Open, given: dict[str, str], message: str) -> None:
    with pytest.raises(SourceGoneError, match=message):
        await opened(**given).read()


async def test_a_repository_that_is_not_there_is_gone_or_unavailable(
    server: str, opened: Open
) -> None:
    with pytest.raises(SourceUnavailableError) as told:
        await opened(url=f"{server}/nowhere/.git", token="s3cret-token-000").read()
    assert "s3cret" not in str(told.value)
    assert server not in str(told.value)


async def test_an_address_that_is_not_permitted_is_never_called(opened: Open) -> None:
    with pytest.raises(SourceUnavailableError, match="PAO_EGRESS_ALLOW"):
        await opened(rules="*").read()


async def test_owners_are_read_of_the_very_commit(repository: Path, opened: Open) -> None:
    commit_files(repository, {"CODEOWNERS": "* @acme/a\n"})
    reader = opened(ownership="report")
    await reader.read()
    assert list(reader.beside) == ["CODEOWNERS"]
    commit_files(repository, {".github/CODEOWNERS": "* @acme/b\n"})
    assert isinstance(await reader.read(), Listing)
    assert reader.stored[reader.beside[".github/CODEOWNERS"].blob] == b"* @acme/b\n"


async def test_a_server_without_filters_is_read_all_the_same(
    repository: Path, opened: Open
) -> None:
    git(repository, "config", "uploadpack.allowFilter", "false")
    reader = opened()
    await reader.read()
    assert reader.texts() == {"database/a.yaml": "a: 1\n"}


async def test_credentials_are_sent_in_a_header_and_a_refusal_is_told() -> None:
    heard: list[str] = []
    async with refusing(heard) as url:
        remote = GitRemote(
            url=f"{url}/x.git",
            token=SecretStr("s3cret-token"),
            rules=EgressRules.parse(["127.0.0.1"]),
        )
        made = GitSource(remote, GitLocation(), seconds=20)
        with pytest.raises(SourceRefusedError, match="rejected our credentials"):
            await made.listing(ListingContext())
        await made.close()
    pair = base64.b64encode(b"git:s3cret-token").decode()
    assert f"Basic {pair}" in heard


@pytest.mark.parametrize(
    ("answer", "scheme", "told"),
    [
        ("HTTP/1.1 429 Too Many Requests", "http", (SourceLimitedError, "accepts no more calls")),
        ("HTTP/1.1 503 Busy", "http", (SourceUnavailableError, "an internal error")),
        ("HTTP/1.1 418 Odd", "http", (SourceUnavailableError, "git ls-remote says")),
        ("not TLS", "https", (SourceUnavailableError, "PAO_EGRESS_CA_BUNDLE")),
        ("", "https", (SourceUnavailableError, "does not answer")),
    ],
)
async def test_whatever_keeps_git_from_reading_is_told_in_our_words(
    answer: str, scheme: str, told: tuple[type[Exception], str]
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        if not answer:
            # Closed so, the connection is reset.
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return
        writer.write(f"{answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.write_eof()
        # Closing before it has closed could lose the answer.
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        # What its name says is not why it fails.
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/tls-certificates.git"
        made = GitSource(GitRemote(url=url, rules=EgressRules.parse(["127.0.0.1"])), GitLocation())
        with pytest.raises(told[0], match=told[1]) as raised:
            await made.listing(ListingContext())
    assert url not in str(raised.value)
    with pytest.raises(SourceUnavailableError, match="does not answer"):
        await made.listing(ListingContext())
    await made.close()


async def test_a_repository_that_was_renamed_is_gone_and_its_new_address_is_not_called(
    server: str, repository: Path
) -> None:
    """Whoever answers could send us anywhere; and an operator should know of the new name."""
    target = f"{server}/{repository.name}/.git/info/refs?service=git-upload-pack"
    async with refusing([], f"301 Moved Permanently\r\nLocation: {target}") as url:
        remote = GitRemote(url=f"{url}/x.git", rules=EgressRules.parse(["127.0.0.1"]))
        made = GitSource(remote, GitLocation(), seconds=20)
        with pytest.raises(SourceGoneError, match="correct CATALOG_REPOSITORY"):
            await made.listing(ListingContext())
        await made.close()
