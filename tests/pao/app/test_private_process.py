"""What a process was told in its environment is not to be read by others once it has read it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SHOWING = """
import ctypes, os
from pathlib import Path
from pao.app.process_hardening import protect_secrets
kept = protect_secrets(os.environ, ["db-password-1234", "short"])
shown = Path("/proc/self/environ").read_bytes()
print(kept["DATABASE_URL"], kept["PAO_SECRET_KEY"], kept["PLAIN"], kept["SHORT"])
print("DATABASE_URL" in os.environ, "PAO_SECRET_KEY" in os.environ, os.environ["PLAIN"])
print(b"1234" in shown, b"template-secret" in shown, b"PLAIN=plain-value" in shown)
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


def test_secrets_leave_the_environment_in_every_place_where_it_is_shown() -> None:
    told = {
        "DATABASE_URL": "db-password-1234",
        "COPY_OF_IT": "db-password-1234\n",
        "PAO_SECRET_KEY": "template-secret",
        "PLAIN": "plain-value",
        "SHORT": "short",
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, "-c", SHOWING],
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "db-password-1234 template-secret plain-value short",
        "False False plain-value",
        "False False True",
        "0",
    ]
