"""Fetches the pages' third-party scripts into the source tree; needs the standard library only.

    python -m pao.app.local.web_scripts

An exact version, its archive checked against a hash, from the registry that npm is configured for.
"""

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from pao.app.local.npm import npm_in

PACKAGE = "htmx.org@4.0.1"
SHA512 = "oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg=="
SCRIPTS = {
    "htmx.min.js": "package/dist/htmx.min.js",
    "hx-sse.min.js": "package/dist/ext/hx-sse.min.js",
}
FOLDER = Path(__file__).parents[3] / "api" / "web" / "static" / "vendor"
_STAMP = "fetched"


class FetchError(Exception):
    """The scripts could not be fetched; the message says why."""


def missing(folder: Path = FOLDER) -> list[str]:
    """Return the missing scripts, without which pages do not update automatically."""
    return [name for name in SCRIPTS if not (folder / name).is_file()]


def fetch() -> None:
    """Fetch the scripts unless this version is there; raises ``FetchError``."""
    stamp = FOLDER / _STAMP
    if stamp.is_file() and stamp.read_text() == SHA512:
        return
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        archive = _archive(Path(scratch))
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != SHA512:
            raise FetchError(f"{PACKAGE} is not the archive that was expected: its hash differs")
        with tarfile.open(archive) as opened:
            for name, inside in SCRIPTS.items():
                member = opened.extractfile(inside)
                if member is None:
                    raise FetchError(f"{PACKAGE} has no file {inside}")
                (FOLDER / name).write_bytes(member.read())
    stamp.write_text(SHA512)


def _archive(folder: Path) -> Path:
    try:
        _, npm = npm_in(folder / "node")
        command = [*npm, "pack", PACKAGE, "--silent", "--pack-destination", str(folder)]
        subprocess.run(  # noqa: S603 -- constants and our own paths
            command, check=True, timeout=300, cwd=folder, capture_output=True, text=True
        )
    except subprocess.CalledProcessError as error:
        raise FetchError(f"npm could not fetch {PACKAGE}: {error.stderr or error}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise FetchError(f"{PACKAGE} could not be fetched: {error}") from error
    return next(folder.glob("*.tgz"))


def main() -> int:
    """Fetch the scripts; without them a build works, but its pages do not update automatically."""
    try:
        fetch()
    except FetchError as error:
        sys.stderr.write(f"Warning: {error}. Pages will not update by themselves.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
