"""The end of the command `pao`: complete, and past the threads of Temporal's client."""

import subprocess
import sys

# Loads Temporal's client before a command whose usage is wrong.
PROGRAM = """
import atexit, os, sys, threading
{loads}
class Torn:
    def __del__(self, write=os.write):
        write(1, b"torn down\\n")
kept = Torn()
atexit.register(print, "at exit")
threading.Thread(target=lambda: (threading.main_thread().join(), print("thread ended"))).start()
from pao.app.cli.entry_point import main
main()
"""


def run(loads: str, *arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", PROGRAM.format(loads=loads), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_a_command_that_has_used_temporal_ends_without_tearing_python_down() -> None:
    assert run("import temporalio.client", "no-such-command") == (2, ["thread ended", "at exit"])


def test_any_other_command_ends_as_python_does() -> None:
    code, said = run("", "no-such-command")
    assert (code, said) == (2, ["thread ended", "at exit", "torn down"])
