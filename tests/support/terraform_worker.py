"""A process that executes one terraform action, to be killed in the middle.

Arguments: a file with a pickled ``Ground``, and the configuration as JSON.
"""

import asyncio
import json
import pickle
import sys
from pathlib import Path

if __name__ == "__main__":
    ground = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 -- the test wrote it
    asyncio.run(ground.execute(json.loads(sys.argv[2])))
