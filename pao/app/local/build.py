"""The build id of this code."""

import hashlib
import importlib.util
from pathlib import Path

from pao.runtime.version import VERSION

PACKAGES = ("pao", "api", "workflows", "activities", "catalog", "db")
_ID_LENGTH = 10


def own_build() -> str:
    """Return the id of this build: its version, and a digest of its code."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for file in sorted(Path(folder).rglob("*.py")):
                digest.update(str(file.relative_to(folder)).encode() + b"\0")
                digest.update(file.read_bytes())
    return f"{VERSION}-{digest.hexdigest()[:_ID_LENGTH]}"
