"""A script for `make clean`: removes the state of `pao up`, wherever parts of it are."""

import os
import sys
from pathlib import Path

from pao.app.local.home import Home
from pao.app.local.processes import LocalError


def main() -> int:
    """Remove the state in PAO_HOME or .pao; refuses while it is in use."""
    home = Home(Path(os.environ.get("PAO_HOME") or ".pao").resolve())
    if not home.folder.exists():
        return 0
    try:
        with home.lock():
            home.delete_state()
    except LocalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
