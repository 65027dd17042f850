"""The npm signers, run as programs of their own."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.node import NodePackages, node_packages

_FOLDER = Path(__file__).parent / "node"


@dataclass(frozen=True)
class NodeSigners:
    """The scripts of the folder ``node`` with the packages that they use."""

    packages: NodePackages

    def run(self, script: str, *arguments: str) -> str:
        """Run a script and return what it printed."""
        done = subprocess.run(  # noqa: S603 -- our scripts with our arguments
            [self.packages.node, str(_FOLDER / script), *arguments],
            env={**os.environ, "NODE_PATH": str(self.packages.modules)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.stdout, done.stderr
        return done.stdout


def node_signers() -> NodeSigners:
    """Return the signers, installed as locked."""
    return NodeSigners(node_packages(_FOLDER))
