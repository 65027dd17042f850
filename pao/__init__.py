"""Platform Automation Orchestrator: what ties the packages together."""

import sys
from types import ModuleType

# httpx imports its command line, with rich and pygments, wherever those are installed: 6 MB and
# 0.08 s of every process. Without that module it goes on as if they were not.
sys.modules.setdefault("httpx._main", ModuleType("httpx._main"))
