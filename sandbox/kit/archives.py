"""Archives of a commit as git makes them, with ``export-ignore`` and ``export-subst``."""

import gzip
import io
import tarfile
from collections.abc import Iterator
from fnmatch import fnmatchcase

from sandbox.kit.git import LINK, Git

_SUBMODULE = "160000"
_HASH = b"$Format:%H$"


def tarball(git: Git, repository: str, sha: str, *, folder: str, below: str = "") -> bytes:
    """Return the compressed archive of a commit, or of the folder ``below`` in it.

    Every path in the archive is inside ``folder``.
    """
    commit = git.commit(repository, sha) or {}
    files = git.files(repository, commit["tree"])
    attributes = files.get(".gitattributes")
    rules = list(_rules(git.blob(repository, attributes.sha) or b"")) if attributes else []
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(_member(f"{folder}/", tarfile.DIRTYPE))
        for path, file in sorted(files.items()):
            attributes_of_path = {name for pattern, name in rules if _matches(pattern, path)}
            if below and not path.startswith(f"{below}/"):
                continue
            if "export-ignore" in attributes_of_path or file.mode == _SUBMODULE:
                continue
            content = git.blob(repository, file.sha) or b""
            if "export-subst" in attributes_of_path:
                content = content.replace(_HASH, sha.encode())
            if file.mode == LINK:
                link = _member(f"{folder}/{path}", tarfile.SYMTYPE)
                link.linkname = content.decode(errors="replace")
                archive.addfile(link)
                continue
            member = _member(f"{folder}/{path}", tarfile.REGTYPE)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), compresslevel=1, mtime=0)


def _member(name: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    return member


def _rules(content: bytes) -> Iterator[tuple[str, str]]:
    for line in content.decode(errors="replace").splitlines():
        pattern, *names = line.split() or [""]
        yield from ((pattern, name) for name in names)


def _matches(pattern: str, path: str) -> bool:
    whole = path if "/" in pattern else path.rpartition("/")[2]
    return fnmatchcase(whole, pattern.removeprefix("/"))
