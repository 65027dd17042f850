"""A workflow of three empty steps in DBOS: runs with DBOS's own environment, and needs no PAO.

`python dbos_steps.py DATABASE_URL`; for each line of its input it runs one and writes its seconds.
"""

# DBOS is in an environment of its own, where nothing is checked.
# mypy: disable-error-code="import-not-found, untyped-decorator"

import sys
import time

from dbos import DBOS, DBOSConfig

STEPS = 3


@DBOS.step()
def nothing(number: int) -> int:
    """Do nothing; the result is stored."""
    return number


@DBOS.workflow()
def three_steps() -> int:
    """Run the steps one after another."""
    return sum(nothing(number) for number in range(STEPS))


def main() -> None:
    """Serve the lines of the input."""
    config: DBOSConfig = {
        "name": "peer",
        "system_database_url": sys.argv[1],
        "run_admin_server": False,
        "log_level": "ERROR",
    }
    DBOS(config=config)
    DBOS.launch()
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        three_steps()
        print(time.perf_counter() - began, flush=True)
    DBOS.destroy()


if __name__ == "__main__":
    main()
