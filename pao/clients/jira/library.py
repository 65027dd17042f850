"""The JIRA classes of atlassian-python-api, without its clients for ten other products."""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType


def _import_jira() -> ModuleType:
    """Import ``atlassian.jira`` alone: the package imports all its clients, 6 MB of a process.

    Nothing of it stays in ``sys.modules``: an extension that imports the package has all of it,
    classes of its own.
    """
    spec = find_spec("atlassian")
    if spec is None or "atlassian" in sys.modules:
        return import_module("atlassian.jira")
    sys.modules["atlassian"] = module_from_spec(spec)
    try:
        return import_module("atlassian.jira")
    finally:
        for name in [one for one in sys.modules if one.partition(".")[0] == "atlassian"]:
            del sys.modules[name]


_jira = _import_jira()
Jira = _jira.Jira
JiraCloud = _jira.JiraCloud
