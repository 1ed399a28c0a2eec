"""Both state machines, with everything substituted, are such that Step Functions takes them."""

import re
from pathlib import Path

import pytest

from sagemaker_local.asl import check

MACHINES = Path(__file__).parents[2] / "statemachine"


def _value(name: str) -> str:
    if name == "Partition":
        return "aws"
    return "86400" if name.endswith("Seconds") else "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.mark.parametrize("name", [path.name for path in MACHINES.glob("*.asl.json")])
def test_a_machine_of_ours_is_taken(name: str) -> None:
    text = (MACHINES / name).read_text(encoding="utf-8")

    assert check(re.sub(r"\$\{(\w+)\}", lambda found: _value(found[1]), text)) == []
