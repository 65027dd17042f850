"""A folder with the sample catalog, and `pao catalog` run in it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from tests.support.stack import SAMPLES

Run = Callable[..., Result]
DNS = "network/network-dns-record.yaml"
COUNT = len(list(SAMPLES.glob("*/*.yaml")))


def change(file: Path, old: str, new: str) -> None:
    """Replace a text in a file that holds it."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder as somebody."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607 -- git itself
