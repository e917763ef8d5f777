import json
import re
from pathlib import Path

from agent.simulator import scenario
from agent.simulator.android import NAMES
from agent.simulator.faults import FaultKind, FaultPoint
from agent.simulator.state import AuthMode

TEXT = (Path(__file__).parents[3] / "docs/simulator.md").read_text(encoding="utf-8")


def test_every_field_event_and_fault_is_described() -> None:
    told = {word for code in re.findall(r"`([^`\n]+)`", TEXT) for word in code.split()}
    wanted = {*scenario.CHANGES, *scenario.VERBS, *FaultKind, *FaultPoint, *AuthMode, *NAMES}
    assert wanted - told == set()


def test_the_example_is_a_good_scenario() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert len(scenario.parse(json.loads(example), 3).events) == 4
