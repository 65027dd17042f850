"""`make fuzz`: thousands of calls that nobody thought up, made from the API's OpenAPI document.

Starts a stack of its own on free ports in a folder of its own, which is removed at the end. The
exit code is 0 unless an answer broke a check. Schemathesis makes the calls, hooks.py signs them,
checks.py judges the answers, and ground.py prepares what there is to be called.
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from fuzz.ground import prepare, write_dictionaries
from fuzz.people import PLACE, FuzzTarget
from pao.app.local.env_file import read_env_file
from pao.app.local.ports import Ports
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import RunningStack, StackOptions, running_stack
from pao.app.local.users import USERS

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = Path(__file__).with_name("schemathesis.toml")
ANY_FREE = Ports(api=0, temporal=0, temporal_ui=0, jira=0, github=0, postgres=0)
ENVIRONMENT = {
    # What calls here is a few people who make thousands of calls.
    "RATE_LIMIT_REQUESTS_PER_MINUTE": "1000000",
    "LOG_FORMAT": "json",
}


def main() -> int:
    """Run it; the exit code is 0 unless a check found something."""
    options, further = _options()
    os.environ.update(ENVIRONMENT)
    # A sourced env file of `pao up` names a server; this run has one of its own.
    os.environ.pop("TEMPORAL_ADDRESS", None)
    options.log.parent.mkdir(parents=True, exist_ok=True)
    progress = ProgressReporter()
    with tempfile.TemporaryDirectory(prefix="pao-fuzz-") as name, options.log.open("w") as log:
        folder = Path(name)
        stack_options = StackOptions(home=folder / "home", ports=ANY_FREE)
        with running_stack(
            stack_options, progress=progress, sink=lambda part, line: print(part, line, file=log)
        ) as stack:
            place = _place(stack)
            progress.report("Preparing requests that are done and requests that failed")
            write_dictionaries(prepare(place, stack.jira_url), folder)
            code = _call(place, folder, options, further)
            stack.supervisor.check()
    print(f"\nWhat the services said is in {options.log}. To repeat the run:")
    print(f"    make fuzz ARGS='--seed {options.seed} --examples {options.examples}'")
    return code


def _options() -> tuple[argparse.Namespace, list[str]]:
    """Read our options; the others are Schemathesis' own."""
    parser = argparse.ArgumentParser(
        prog="make fuzz",
        description=__doc__,
        epilog="Further options are those of `schemathesis run`.",
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--examples", type=int, default=150, help="random cases per operation")
    parser.add_argument("--log", type=Path, default=Path(".pao/fuzz.log"))
    return parser.parse_known_args()


def _place(stack: RunningStack) -> FuzzTarget:
    env = {user.role: read_env_file(stack.home.env_file(user.role)) for user in USERS}
    return FuzzTarget(
        url=stack.api_url,
        region=next(iter(env.values()))["PAO_REGION"],
        keys={
            role: (one["PAO_ACCESS_KEY_ID"], one["PAO_SECRET_ACCESS_KEY"])
            for role, one in env.items()
        },
    )


def _call(place: FuzzTarget, folder: Path, options: argparse.Namespace, further: list[str]) -> int:
    # Schemathesis reads lists of values from files that lie beside its settings.
    settings = folder / SETTINGS.name
    settings.write_bytes(SETTINGS.read_bytes())
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings)),
        *("run", f"{place.url}/api/v1/openapi.json"),
        *("--seed", str(options.seed), "--max-examples", str(options.examples), *further),
    ]
    environment = {**os.environ, PLACE: place.model_dump_json()}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603 -- our own interpreter
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
