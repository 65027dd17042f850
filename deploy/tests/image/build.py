"""Builds the image without a container engine: a base of Debian packages, then the Dockerfile.

    python -m deploy.tests.image.build

Needs root, Debian's mmdebstrap, buildah and crun (installed here where they are missing), and the
registries of Debian and PyPI. The base is kept for a week, the layers until they change.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from deploy.tests.debian import install
from pao.app.local.go_programs import cache_folder

ROOT = Path(__file__).parents[3]
RELEASE = "bookworm"
BASE = "localhost/pao-base"
TARGETS = {"runtime": "localhost/pao", "dev": "localhost/pao-dev"}
PACKAGES = {"mmdebstrap": "mmdebstrap", "buildah": "buildah", "crun": "crun"}
PIP_CONFIGURATION = Path("/etc/pip.conf")
CERTIFICATES = Path("/usr/local/share/ca-certificates")
BASE_DAYS = 7


def folder() -> Path:
    """Return where base and layers are kept between runs."""
    return cache_folder(os.environ) / "images"


def buildah(*arguments: str) -> str:
    """Run buildah on our own storage; returns what it prints."""
    command = ["buildah", "--root", str(folder() / "storage"), "--runroot", str(folder() / "run")]
    command += ["--storage-driver", "overlay", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()  # noqa: S603 -- our own arguments


def main() -> int:
    """Build base and targets; what is there already is used again."""
    if os.geteuid() != 0:
        sys.stderr.write("Building an image without an engine needs root.\n")
        return 1
    install(PACKAGES)
    folder().mkdir(parents=True, exist_ok=True)
    if not _has_fresh_base():
        # With it goes every layer of the past week.
        shutil.rmtree(folder() / "storage", ignore_errors=True)
        _make_base()
    for target, name in TARGETS.items():
        _build(target, name)
    return 0


def commit() -> str:
    """Return the commit that is checked out."""
    command = ["/usr/bin/git", "rev-parse", "HEAD"]
    return subprocess.run(  # noqa: S603 -- constants
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def digest(image: str) -> str:
    """Return the digest by which an image is named exactly."""
    return str(json.loads(buildah("inspect", "--type", "image", image))["FromImageDigest"])


def _has_fresh_base() -> bool:
    made = folder() / "base.tar"
    return made.exists() and time.time() - made.stat().st_mtime < BASE_DAYS * 24 * 3600


def _make_base() -> None:
    """Make what the real base is too: a minimal Debian with Python and its venv module."""
    print("Making the base of Debian packages")
    archive = folder() / "base.tar"
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--components=main"]
    command += ["--include=ca-certificates,python3,python3-venv"]
    if any(CERTIFICATES.glob("*.crt")):
        # A machine behind a TLS proxy reaches its registries with these only.
        place = f'"$1{CERTIFICATES}/"'
        copied = f'cp {CERTIFICATES}/*.crt {place} && chroot "$1" update-ca-certificates'
        command.append(f"--customize-hook={copied}")
    partial = archive.with_suffix(".part.tar")
    subprocess.run([*command, RELEASE, str(partial)], check=True)  # noqa: S603 -- our own arguments
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, str(partial), "/")
    buildah("commit", "--quiet", container, BASE)
    buildah("rm", container)
    partial.replace(archive)


def _build(target: str, name: str) -> None:
    print(f"Building the target {target}", flush=True)
    command = ["build", "--isolation", "chroot", "--pull=never", "--layers", "--quiet"]
    command += [
        "--build-arg",
        f"BASE={BASE}@{digest(BASE)}",
        "--build-arg",
        f"PAO_GIT_SHA={commit()}",
    ]
    if PIP_CONFIGURATION.exists():
        command += ["--secret", f"id=pip,src={PIP_CONFIGURATION}"]
    print(buildah(*command, "--target", target, "--tag", name, str(ROOT)))


if __name__ == "__main__":
    sys.exit(main())
