"""Mails about endings: of releases, which the real planner makes in a world of fakes, of reviews, and of runs."""

import json
from collections.abc import Callable
from copy import replace
from typing import TYPE_CHECKING

from signalbox.aws.model import ModelAnswer
from signalbox.contracts.endings import Ending
from signalbox.events import ExecutionChange
from signalbox.notifications import notifying
from signalbox.notifications.notifying import NotifyingPorts
from signalbox.uploads import reporting
from signalbox.uploads.model import FailedExecution, FailedStep, RunRefusedError, Upload
from signalbox.uploads.refusals import Refusals
from tests.pictures import asking, tested
from tests.support.notifications import ending
from tests.support.reviews import ANN, BOB, OutboxFake
from tests.support.samples import sample
from tests.support.uploads import ABALONE, BUCKET, PIPELINE, Clock, MemoryNotificationLog, MemoryTable
from tests.unit.releases_world import GOLDEN, OLD_GOLDEN, World, arn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signalbox.contracts.endings import BuildFailure, RunRefusal
    from signalbox.contracts.uploads import Quarantine, QuarantinedFile

_API = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
# A golden request of version 3, and of version 4.
_OLD_ROW, _ROW = "F,0.53,0.42,0.135,0.677,0.2565,0.1415,0.21", "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15"
_COLUMNS = (
    "has 7 columns, wants 9: Sex, Length, Diameter, Height, Whole weight, Shucked weight, Viscera weight, "
    "Shell weight, Rings"
)
_UNUSED: "Sequence[QuarantinedFile]" = (
    {"file": tested.UPLOADS[-1], "kind": "bad", "faults": [{"line": 118, "reason": _COLUMNS}], "more": 3},
    {
        "file": "incoming/readme.txt",
        "kind": "ignored",
        "faults": [{"reason": "is not read, because only .csv or .data is taken"}],
        "more": 0,
    },
)


def released() -> str:
    """Return the mail about a release that went through."""
    return _told(_approved(_served()))


def put_back() -> str:
    """Return the mail about a live model that was rejected: every stage serves again what it served before."""
    world = _served()
    _approved(world)
    world.registry.put(4, "Rejected")
    world.registry.packages[arn(4)] = replace(
        world.registry.packages[arn(4)],
        changed_by="bob",
        description="Complaints about large shells: back to version 3 until we know more.",
    )
    return _told(world.run("rejected", 4, "2026-11-20T14:00:00Z", "signalbox-abalone-4-rejected").told)


def release_failed() -> str:
    """Return the mail about a release whose endpoint answered otherwise than the tested model, and was put back."""
    world = _served()
    world.models.answers[_ROW] = ModelAnswer("9.81000")
    return _told(_approved(world))


def rejected() -> str:
    """Return the mail about a model that an approver rejected on the page."""
    return _told(ending(package=asking.PACKAGE, execution_arn=asking.EXECUTION, decision=asking.rejected()))


def run_failed() -> str:
    """Return the mail about a run of the pipeline that cannot use one of its files."""
    change, run = ExecutionChange.read(sample("sagemaker/pipeline-execution-failed")), tested.PIPELINE_RUN
    allowed = "1 of 2 files cannot be used, and the project allows a share of 0 (bad_share)."
    step = FailedStep("UnusableFiles", f"{allowed} {tested.UPLOADS[-1]}: line 118 {_COLUMNS}; 3 more lines.")
    unused: Quarantine = {"files": list(_UNUSED), "more": 0}
    uploads = [*_uploads(), _uploads()[0]._replace(key=_UNUSED[1]["file"])]
    failure = reporting.run_failure(ABALONE, change, FailedExecution("", "", (step,)), run, uploads, unused)
    return _mailed(lambda ports: notifying.notify_run_failed(failure, ports))


def run_refused() -> str:
    """Return the mail about a run that cannot start, because its pipeline is not there."""
    table, clock = MemoryTable(), Clock()
    for upload in _uploads():
        table.record(upload)
    table.open(tested.PIPELINE_RUN)
    table.take(tested.PIPELINE_RUN, _uploads())
    error = RunRefusedError("ResourceNotFound", f"the pipeline {PIPELINE} does not exist")
    told: list[RunRefusal] = []
    Refusals(MemoryNotificationLog(), told.append).tell(error, PIPELINE, ABALONE, table, clock())
    return _mailed(lambda ports: notifying.notify_run_refused(told[0], ports))


def build_failed() -> str:
    """Return the mail about a build whose deployment was refused, by the check of its project's document."""
    failure: BuildFailure = {
        "project": "abalone",
        "approvers": [],
        "pusher": "",
        "by": "user/ann",
        "branch": "main",
        "commit": tested.COMMIT,
        "build": "signalbox-abalone:7d1f0a52-5a0b-4a52-9a3e-0f6d3c1b8e21",
        "url": "https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/builds",
        "status": "FAILED",
        "phase": "BUILD",
        "reason": "COMMAND_EXECUTION_ERROR: Error while executing command: signalbox check. Reason: exit status 1",
        "lines": [
            "[Container] 2026/11/20 09:31:07.412 Running command signalbox check",
            "\x1b[31msignalbox.yaml, line 9: uploads[0].pipeline is 'trian': the pipelines are train\x1b[0m",
            "[Container] 2026/11/20 09:31:08.020 Command did not exit successfully signalbox check exit status 1",
            "[Container] 2026/11/20 09:31:08.026 Phase complete: BUILD State: FAILED",
        ],
    }
    return _mailed(lambda ports: notifying.notify_build_failed(failure, ports))


def _uploads() -> list[Upload]:
    return [Upload(BUCKET, key, "v1", 10, "2026-11-20T09:28:41.000000Z") for key in tested.UPLOADS]


def _served() -> World:
    """Return a world whose stages serve version 3, and in which version 4 has golden requests."""
    world = World()
    world.files.golden_of = {GOLDEN: 4, OLD_GOLDEN: 3}
    world.files.files |= {GOLDEN: _golden(_ROW, "6.60000"), OLD_GOLDEN: _golden(_OLD_ROW, "8.70500")}
    world.models.answers = {_ROW: ModelAnswer("6.60000"), _OLD_ROW: ModelAnswer("8.70500")}
    world.registry.put(3, "Approved", golden=OLD_GOLDEN)
    for stage in world.stages.stages:
        world.sagemaker.serve(f"signalbox-abalone-{stage.name}", f"live-{stage.name}", arn(3))
        world.store.record(stage.name, 3, f"live-{stage.name}")
    return world


def _golden(body: str, expected: str) -> str:
    requests = [{"body": body, "expected": expected}]
    return json.dumps({"content_type": "text/csv", "problem": "regression", "tolerance": 0.001, "requests": requests})


def _approved(world: World) -> Ending:
    world.registry.put(4, "Approved", tested.COMMIT, golden=GOLDEN)
    told = world.run("approved", 4, "2026-11-20T11:00:00Z", "signalbox-abalone-4-approved").told
    assert told is not None
    return told


def _told(told: Ending | None) -> str:
    assert told is not None
    return _mailed(lambda ports: notifying.notify_ending(told, ports))


def _mailed(notify: Callable[[NotifyingPorts], object]) -> str:
    outbox = OutboxFake()
    notify(NotifyingPorts(outbox, (ANN, BOB), _API))
    return outbox.mails[0].html
