"""Action types of other packages: what can be used is, what cannot is told, the rest goes on."""

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.extensions import LoadedActions, load_extensions
from activities.registry import ACTIONS
from pao.core.names import ACTION_GROUP

GOOD = """
from pao.extension import Action, ActionConfig, ActionResult
from pydantic import BaseModel

class Config(ActionConfig):
    text: str

class Outputs(BaseModel):
    said: str

class Echo(Action[Config]):
    type = "{type}"
    summary = "Says it."
    resource_type = "word"
    config = Config
    outputs = Outputs
    examples = ({{"text": "a"}}, {{"text": "b"}})

    async def look(self, config, context):
        return None

    async def execute(self, config, context):
        return ActionResult(outputs={{"said": config.text}})

    def cleanup(self, result):
        return "Nothing."

ACTION = Echo()
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    """A folder in which packages are installed, by files as an installer leaves them."""
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))


def install(shelf: Path, package: str, *, entry: str, code: str) -> None:
    module = package.replace("-", "_")
    (shelf / f"{module}.py").write_text(code, encoding="utf-8")
    info = shelf / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{ACTION_GROUP}]\n{entry} = {module}:ACTION\n")


def found(shelf: Path) -> LoadedActions:
    points = [
        point
        for dist in importlib.metadata.distributions(path=[str(shelf)])
        for point in dist.entry_points
    ]
    return load_extensions({one.type: one.load() for one in ACTIONS}, points)


def test_a_type_of_another_package_stands_beside_our_own(shelf: Path) -> None:
    install(shelf, "pao-echo-a", entry="echo", code=GOOD.format(type="echo"))
    loaded = found(shelf)
    assert loaded.problems == ()
    assert loaded.sources["echo"] == "pao-echo-a 1.0"
    assert "jira-ticket" in loaded.actions


@pytest.mark.parametrize(
    ("entry", "code", "told"),
    [
        ("broken", "import nothing_of_this_name", "cannot be imported"),
        ("broken", "ACTION = 3", "is not an Action object"),
        ("broken", "raise SystemError('at import')", "cannot be imported"),
        ("echo-b", GOOD.format(type="echo-c"), "the entry point is named echo-b"),
        ("Echo", GOOD.format(type="Echo"), "is not a name such as dns-record"),
        ("jira-ticket", GOOD.format(type="jira-ticket"), "belongs to PAO itself"),
        (
            "bare",
            GOOD.format(type="bare").replace("    summary = ", "    sum = "),
            "summary is missing",
        ),
        (
            "bare",
            GOOD.format(type="bare").replace("config = Config", "config = dict"),
            "ActionConfig",
        ),
    ],
)
def test_a_package_that_cannot_be_used_is_told_and_the_others_go_on(
    shelf: Path, entry: str, code: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"pao-broken-{abs(hash((entry, told)))}"
    install(shelf, name, entry=entry, code=code)
    install(shelf, f"pao-fine-{abs(hash(told))}", entry="fine", code=GOOD.format(type="fine"))
    loaded = found(shelf)
    [problem] = loaded.problems
    assert problem.source == f"{name} 1.0"
    assert told in problem.message
    assert name in caplog.text
    assert {"fine", "jira-ticket"} <= loaded.actions.keys()
    assert type(loaded.actions["jira-ticket"]).__name__ == "JiraTicketAction"


def test_of_two_packages_with_one_name_neither_is_used(shelf: Path) -> None:
    for name in ("pao-twin-one", "pao-twin-two"):
        install(shelf, name, entry="twin", code=GOOD.format(type="twin"))
    loaded = found(shelf)
    assert "twin" not in loaded.actions
    assert len(loaded.problems) == 2
    assert "pao-twin-one 1.0, pao-twin-two 1.0" in loaded.problems[0].message
