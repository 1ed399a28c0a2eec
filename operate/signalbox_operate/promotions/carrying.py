"""A promotion is carried out: SageMaker reads the definition first, and the run is asked for last.

Safe to repeat, and to break off anywhere: the same code has the same keys, the same definition is put once, and as
long as it is not published, the next try goes on. What is recorded twice was asked for twice.
"""

from datetime import datetime

from signalbox.pushes.model import Changed
from signalbox_operate.projects import code, definitions, pipelines
from signalbox_operate.promotions import records, sides
from signalbox_operate.promotions.model import NO_COMMIT, Plan
from signalbox_operate.pushes import publishing

FROM_TAG = "signalbox:promoted-from"


def carry_out(plan: Plan, now: datetime) -> None:
    """Put the code and the pipeline into the target, record that, and ask for the run.

    Raises:
        OperateError: SageMaker refuses the definition, and nothing was written; or something is not allowed there.
    """
    target, place = plan.target, plan.target.side.place
    sagemaker, called = place.client("sagemaker"), target.pipeline.name
    source = plan.source.side
    told = {FROM_TAG: "/".join((source.place.stack.name, source.account, source.place.region, plan.ran.name))}
    tags = {
        definitions.PROJECT_TAG: target.document.project,
        definitions.ID_TAG: target.document.id,
        **target.document.tags,
        **told,
    }
    with sides.within(target.side.title):
        pipelines.try_out(called, target.pipeline_role_arn, plan.definition, tags, sagemaker)
        for files in plan.code.values():
            code.upload(target.document.project, files, target.target.artifacts_bucket, place.client("s3"))
        outcome = pipelines.put(called, target.pipeline_role_arn, plan.definition, tags, sagemaker, exactly=True)
        place.say(f"pipeline {called} {outcome}")
        records.write(plan, now)
        if plan.wanted.start:
            _publish(plan)


def _publish(plan: Plan) -> None:
    target, place = plan.target, plan.target.side.place
    before = publishing.published(target.document.project, place)
    known = before.pipelines.get(target.key)
    commit = plan.ran.commit or NO_COMMIT
    changed = Changed(commit, plan.digest, known.number + 1 if known else 1)
    after = before._replace(commit=commit, by=target.side.caller, pipelines={**before.pipelines, target.key: changed})
    publishing.write(target.document.project, after, place)
    place.say(
        f"a run of {target.pipeline.name} is asked for: over what waits, else over the data of its last run, else it "
        "begins with the first upload"
    )
