"""Platform Automation Orchestrator: what ties the packages together."""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec

# httpx imports its command line, with rich and pygments, wherever those are installed: 6 MB and
# 0.08 s of every process. Without that module it goes on as if they were not.
sys.modules.setdefault("httpx._main", module_from_spec(ModuleSpec("httpx._main", loader=None)))
