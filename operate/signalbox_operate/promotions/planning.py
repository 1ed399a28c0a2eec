"""Everything that can be known of a promotion before anything is written."""

import json

from signalbox_operate.pipelines.form import Json, steps_of
from signalbox_operate.projects import definitions, pipelines
from signalbox_operate.promotions import choosing, promoted_code, replacing, sides
from signalbox_operate.promotions.model import Deployed, Plan, Ran, Side, Wanted
from signalbox_operate.pushes import publishing
from signalbox_operate.stack import OperateError


def plan(wanted: Wanted, source: Side, aim: Side) -> Plan:
    """Return what a promotion is about; nothing is written.

    Raises:
        OperateError: it cannot be carried out; where one of the stacks says so, the message begins with which.
    """
    sides.check_apart(source, aim)
    with sides.within(source.title):
        begin = sides.deployed(wanted.project, wanted.pipeline, source)
        if begin is None:
            raise OperateError(f"there is no project {wanted.project!r}: `signalbox projects` lists them")
        ran = choosing.choose(wanted, begin)
        code = promoted_code.read(ran.definition, wanted.project, source.place)
    with sides.within(aim.title):
        end = sides.deployed(wanted.project, begin.key, aim)
        if end is None:
            raise OperateError(f"the project {wanted.project} is not deployed: {_way_out(ran, aim)}")
    made = replacing.replace(ran.definition, wanted.values or {}, begin, end)
    with sides.within(aim.title):
        _check_fits(made.definition, ran, begin, end)
        digest = definitions.digest(made.definition)
        there = _is_there(made.definition, digest, end, start=wanted.start)
    return Plan(wanted, begin, end, ran, made.definition, digest, made.replacements, made.notes, code, there)


def _check_fits(definition: Json, ran: Ran, source: Deployed, target: Deployed) -> None:
    """Refuse what the target's project was not deployed for: its roles and documents are of another definition.

    Raises:
        OperateError: its models or what it takes differ, or it has steps that its role has no rights for.
    """
    one, other = source.pipeline, target.pipeline
    differing = [
        what
        for what, differs in (
            (f"models ({', '.join(other.models) or 'none'})", set(one.models) != set(other.models)),
            ("way of taking uploads", (one.takes, one.parameter) != (other.takes, other.parameter)),
        )
        if differs
    ]
    there = pipelines.kinds(other.name, target.side.place.client("sagemaker"))
    new = {str(step["Type"]) for step in steps_of(definition)} - there
    if there and new:
        differing.append(f"steps: its role has no rights for {', '.join(sorted(new))}")
    if differing:
        raise OperateError(
            f"the pipeline {other.name} was deployed with other {'; '.join(differing)}: {_way_out(ran, target.side)}"
        )


def _is_there(definition: Json, digest: str, target: Deployed, *, start: bool) -> bool:
    """Say whether the definition is there and, unless it is not to be started, was asked to run."""
    place = target.side.place
    named = target.pipeline.name, target.pipeline_role_arn
    if not pipelines.is_there(*named, _as_sent(definition), place.client("sagemaker")):
        return False
    before = publishing.published(target.document.project, place).pipelines.get(target.key)
    return not start or (before is not None and before.digest == digest)


def _as_sent(definition: Json) -> Json:
    sent: Json = json.loads(json.dumps(definition))
    return sent


def _way_out(ran: Ran, aim: Side) -> str:
    at = f" at the commit {ran.commit}" if ran.commit else ""
    return f"`signalbox deploy FOLDER --stack {aim.place.stack.name}`{at} makes its roles and documents there"
