"""Git's objects and references; blobs and trees have the hashes that git itself computes."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.kit.store import DocumentStore

FILE, LINK, TREE = "100644", "120000", "040000"
TYPES = {TREE: "tree", "160000": "commit"}


@dataclass(frozen=True, slots=True)
class GitEntry:
    """One entry of a tree: its mode and the hash of its content."""

    mode: str
    sha: str


Files = dict[str, GitEntry]


class Git:
    """The repositories' objects; names of repositories are case-insensitive."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def add_blob(self, repository: str, content: bytes) -> str:
        """Store a blob and return its hash."""
        text = base64.b64encode(content).decode()
        return self._add(repository, "blob", content, {"content": text, "size": len(content)})

    def blob(self, repository: str, sha: str) -> bytes | None:
        """Return the bytes of a blob."""
        found = self._store.get("blob", _key(repository, sha))
        return None if found is None else base64.b64decode(found["content"])

    def size(self, repository: str, sha: str) -> int:
        """Return the length of a blob in bytes."""
        found = self._store.get("blob", _key(repository, sha))
        return int(found["size"]) if found else 0

    def walk(self, repository: str, sha: str, start: str = "") -> Iterator[dict[str, Any]]:
        """Yield everything below a tree by its path, directories before what is in them."""
        for entry in self.tree(repository, sha) or []:
            path = f"{start}{entry['path']}"
            yield {**entry, "path": path}
            if entry["mode"] == TREE:
                yield from self.walk(repository, entry["sha"], f"{path}/")

    def tree(self, repository: str, sha: str) -> list[dict[str, Any]] | None:
        """Return the entries of one directory."""
        found = self._store.get("tree", _key(repository, sha))
        return None if found is None else list(found["entries"])

    def files(self, repository: str, sha: str) -> Files:
        """Return all files below a tree by their paths."""
        found: Files = {}
        for entry in self.tree(repository, sha) or []:
            if entry["mode"] != TREE:
                found[entry["path"]] = GitEntry(entry["mode"], entry["sha"])
                continue
            below = self.files(repository, entry["sha"])
            found |= {f"{entry['path']}/{path}": file for path, file in below.items()}
        return found

    def add_tree(self, repository: str, files: Mapping[str, GitEntry]) -> str:
        """Store a tree of complete paths and return its hash."""
        here: dict[str, GitEntry] = {}
        below: dict[str, Files] = {}
        for path, file in files.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = file
            else:
                here[name] = file
        folders = {n: GitEntry(TREE, self.add_tree(repository, f)) for n, f in below.items()}
        entries = [
            {"path": name, "mode": entry.mode, "sha": entry.sha}
            for name, entry in sorted({**here, **folders}.items(), key=_git_order)
        ]
        content = b"".join(map(_tree_line, entries))
        return self._add(repository, "tree", content, {"entries": entries})

    def add_commit(
        self, repository: str, *, tree: str, parents: Sequence[str], message: str, who: Any
    ) -> str:
        """Store a commit and return its hash; ``who`` has name, email and date."""
        signed = f"{who['name']} <{who['email']}> {who['date']}"
        lines = [f"tree {tree}", *(f"parent {sha}" for sha in parents)]
        lines += [f"author {signed}", f"committer {signed}", "", message]
        document = {"tree": tree, "parents": list(parents), "message": message, "who": who}
        return self._add(repository, "commit", "\n".join(lines).encode(), document)

    def commit(self, repository: str, sha: str) -> dict[str, Any] | None:
        """Return a commit."""
        found: dict[str, Any] | None = self._store.get("commit", _key(repository, sha))
        return found

    def log(self, repository: str, sha: str) -> list[tuple[str, dict[str, Any]]]:
        """Return a commit and all before it along first parents, newest first."""
        found: list[tuple[str, dict[str, Any]]] = []
        commit = self.commit(repository, sha)
        while commit is not None:
            found.append((sha, commit))
            sha = next(iter(commit["parents"]), "")
            commit = self.commit(repository, sha)
        return found

    def merge_base(self, repository: str, one: str, other: str) -> str | None:
        """Return the newest commit that is in both histories, along first parents."""
        commits = {sha for sha, _ in self.log(repository, one)}
        return next((sha for sha, _ in self.log(repository, other) if sha in commits), None)

    def ref(self, repository: str, name: str) -> str | None:
        """Return the commit that ``heads/...`` or ``tags/...`` points to."""
        found: str | None = self._store.get("ref", _key(repository, name))
        return found

    def refs(self, repository: str) -> dict[str, str]:
        """Return all references of a repository."""
        start = _key(repository, "")
        found = self._store.all("ref").items()
        return {key.removeprefix(start): sha for key, sha in found if key.startswith(start)}

    def point(self, repository: str, name: str, sha: str) -> None:
        """Point a reference to a commit."""
        self._store.put("ref", _key(repository, name), sha)

    def unpoint(self, repository: str, name: str) -> None:
        """Remove a reference."""
        self._store.remove("ref", _key(repository, name))

    def resolve(self, repository: str, given: str) -> str | None:
        """Return the commit of a branch, a tag or a hash."""
        name = given.removeprefix("refs/")
        for candidate in (name, f"heads/{name}", f"tags/{name}"):
            sha = self.ref(repository, candidate)
            if sha is not None:
                return sha
        return given if self.commit(repository, given) else None

    def _add(self, repository: str, kind: str, content: bytes, document: Any) -> str:
        header = f"{kind} {len(content)}\0".encode()
        sha = hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
        self._store.put(kind, _key(repository, sha), document)
        return sha


def _key(repository: str, name: str) -> str:
    return f"{repository.lower()}:{name}"


def _git_order(item: tuple[str, GitEntry]) -> str:
    name, entry = item
    return f"{name}/" if entry.mode == TREE else name


def _tree_line(entry: Mapping[str, Any]) -> bytes:
    mode = entry["mode"].lstrip("0")
    return f"{mode} {entry['path']}\0".encode() + bytes.fromhex(entry["sha"])
