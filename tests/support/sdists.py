"""Source distributions of others, whose own test material is read where it may not be copied."""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sdist:
    """One pinned archive: its project, version and digest, and the file in it that is wanted."""

    project: str
    version: str
    sha256: str
    member: str

    def text(self) -> str:
        """Return the file, downloading the archive once into the user's cache."""
        with tarfile.open(self._archive()) as archive:
            found = archive.extractfile(f"{self.project}-{self.version}/{self.member}")
            assert found is not None
            return found.read().decode()

    @property
    def _file(self) -> str:
        return f"{self.project}-{self.version}.tar.gz"

    def _archive(self) -> Path:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pao" / "tests"
        cache.mkdir(parents=True, exist_ok=True)
        kept = cache / self._file
        if not kept.is_file() or _digest(kept) != self.sha256:
            self._download(cache, kept)
        return kept

    def _download(self, cache: Path, kept: Path) -> None:
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--no-binary", ":all:", "--dest", folder]
            subprocess.run([*command, f"{self.project}=={self.version}"], check=True)  # noqa: S603 -- constants only
            fetched = Path(folder) / self._file
            if _digest(fetched) != self.sha256:
                raise ValueError(f"{self._file} from the package registry is not the pinned one")
            # Two test processes may do this at once; the last one wins with the same content.
            fetched.replace(kept)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
