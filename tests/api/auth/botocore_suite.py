"""The AWS Signature Version 4 test suite, read from botocore's source distribution."""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from api.auth.raw import RawRequest

VERSION = "1.44.5"
SHA256 = "a988f39e3a4484def0b8010f41128f71157da0515a4804fccce4739aa8f216da"
_FILE = f"botocore-{VERSION}.tar.gz"
_SUITE = f"botocore-{VERSION}/tests/unit/auth/aws4_testsuite/"
_SESSION_TOKEN = "x-amz-security-token:"


@dataclass(frozen=True)
class Case:
    """One case: the request without and with its signature, and the canonical request."""

    name: str
    request: RawRequest
    canonical: bytes


def suite() -> list[Case]:
    """Return every case, downloading the pinned archive once into the user's cache."""
    with tarfile.open(_archive()) as archive:
        texts = {
            member.name.removeprefix(_SUITE): extracted.read()
            for member in archive
            if member.name.startswith(_SUITE) and (extracted := archive.extractfile(member))
        }
    stems = sorted(name.removesuffix(".req") for name in texts if name.endswith(".req"))
    return [_case(stem, texts) for stem in stems]


def _case(stem: str, texts: dict[str, bytes]) -> Case:
    canonical = texts[f"{stem}.creq"]
    head, _, body = texts[f"{stem}.req"].partition(b"\n\n")
    first, *lines = head.splitlines()
    method, _, rest = first.partition(b" ")
    path, _, query = rest.rpartition(b" ")[0].partition(b"?")
    headers = [*_headers(lines), (b"authorization", texts[f"{stem}.authz"].strip())]
    # A session token is given beside the request where the canonical request has one.
    token = [line for line in canonical.splitlines() if line.startswith(_SESSION_TOKEN.encode())]
    if token and b"x-amz-security-token" not in dict(headers):
        headers.extend(_headers(token))
    request = RawRequest(method.decode(), path, query, tuple(headers), body)
    return Case(stem.rpartition("/")[2], request, canonical)


def _headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line.startswith(b" "):
            # A folded line continues the value before it.
            name, value = headers.pop()
            headers.append((name, value + line))
            continue
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value))
    return headers


def _archive() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pao" / "tests"
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / _FILE
    if not kept.is_file() or _digest(kept) != SHA256:
        _download(cache, kept)
    return kept


def _download(cache: Path, kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary")
        subprocess.run(  # noqa: S603 -- constants only
            [*command, ":all:", "--dest", folder, f"botocore=={VERSION}"], check=True
        )
        fetched = Path(folder) / _FILE
        if _digest(fetched) != SHA256:
            raise ValueError(f"{_FILE} from the package registry is not the pinned one")
        # Two test processes may do this at once; the last one wins with the same content.
        fetched.replace(kept)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
