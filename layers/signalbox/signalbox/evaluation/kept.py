"""Writes evidence down, so that no other package can borrow it."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from signalbox.aws.s3 import ObjectStore
from signalbox.evaluation import costs
from signalbox.evaluation.comparing import ComparingPorts

if TYPE_CHECKING:
    from signalbox.contracts.training import EvaluationQuestion
    from signalbox.evaluation.documents import Cost


def write(uri: str, document: Mapping[str, object], question: "EvaluationQuestion", objects: ObjectStore) -> None:
    """Write a report or golden requests with what they are about, and where its model comes from.

    A model of an image has no package yet: then the execution, which the package will name as its origin, stands for
    it.
    """
    plan = question["plan"]
    subject = {
        "package": plan["package"],
        "execution": question["execution_arn"],
        "content": question["content"],
        "train_data": plan["train_data"],
        "registered_by": plan["registered_by"],
    }
    objects.write(uri, json.dumps({**document, **subject}, indent=2, ensure_ascii=False), "application/json")


def costs_of(question: "EvaluationQuestion", ports: ComparingPorts) -> "list[Cost]":
    """Return the costs in the region that the run is in."""
    plan, region = question["plan"], question["execution_arn"].split(":")[3]
    before, done = plan.get("trained"), question["training"]
    fleet, training = (before["fleet"], before) if before else (plan.get("fleet"), done)
    return costs.of(region, fleet, training["seconds"] if training else 0, ports.stages(plan["model"]).stages)
