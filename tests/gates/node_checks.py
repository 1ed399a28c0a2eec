"""The two checkers that run in Node, asked many questions in one process."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.gates.values import ACCOUNT

FOLDER = Path(__file__).parent / "node"


class NodeMissingError(Exception):
    """Node or its packages are not installed."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is missing: install Node 20 and run `npm ci --prefix tests/gates/node`")


@dataclass(frozen=True)
class Question:
    """May `principal` do `action` on `resource`?

    `policies`, `resource_policy` and `boundary` (of the principal's permissions; "" for none) name documents of the
    same call.
    """

    id: str
    principal: str
    action: str
    resource: str
    account: str = ACCOUNT
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    policies: str = ""
    resource_policy: str = ""
    boundary: str = ""


def ask(
    questions: Sequence[Question] = (),
    policies: Mapping[str, Sequence[Any]] | None = None,
    resource_policies: Mapping[str, Any] | None = None,
    machines: Mapping[str, Any] | None = None,
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the answer to each question, and what asl-validator says of each machine.

    An answer is `Allowed`, `ImplicitlyDenied`, `ExplicitlyDenied`, or `Refused: …` where IAM does not know the action,
    or could not read a policy.

    Raises:
        NodeMissingError: Node or its packages are not installed.
    """
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").is_dir():
        raise NodeMissingError("node" if node is None else "node_modules")
    asked = [asdict(question) for question in questions]
    for entry in asked:
        entry["resourcePolicy"] = entry.pop("resource_policy")
    given = {
        "machines": machines or {},
        "policies": policies or {},
        "resourcePolicies": resource_policies or {},
        "questions": asked,
    }
    run = subprocess.run(
        [node, "check.mjs"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
        cwd=FOLDER,
        timeout=120,
    )
    found = json.loads(run.stdout)
    return found["answers"], found["machines"]
