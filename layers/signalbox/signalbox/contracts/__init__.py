"""What passes between a state machine, a function, a table and a mail.

A function's handler takes and returns these types; a machine passes them on. `tests/gates/checks/contracts.py` reads
both machines and holds every variable, payload key, error name and action word in them against this package. All values
are JSON. Times are texts as `signalbox.moments` writes them, unless a machine made them.
"""

from signalbox.contracts.common import AwsRequest, Failure
from signalbox.contracts.endings import Ending, Mailed, ReportOutcome, RunFailure, RunRefusal, RunReport
from signalbox.contracts.releases import (
    Deployment,
    LastAnswer,
    RegistryChange,
    ReleaseAction,
    ReleaseInput,
    ReleaseOutcome,
    ReleasePlan,
    ReleaseProgress,
    ReleaseQuestion,
    ReleaseStep,
    ReleaseVerdict,
    Rollback,
    RollbackResult,
    StageOutcome,
    StageServing,
    StageVerdict,
    Trigger,
    VerificationQuestion,
    Verified,
    WaitArguments,
)
from signalbox.contracts.reviews import (
    DecisionWord,
    ReviewClosing,
    ReviewDecision,
    ReviewKind,
    ReviewRequest,
    ReviewRequested,
)
from signalbox.contracts.training import (
    Evaluated,
    EvaluationPlan,
    EvaluationQuestion,
    TrainingDone,
    TrainingNames,
    TrainingPlan,
    TrainingQuestion,
    TrainingRequests,
)

__all__ = [
    "AwsRequest",
    "DecisionWord",
    "Deployment",
    "Ending",
    "Evaluated",
    "EvaluationPlan",
    "EvaluationQuestion",
    "Failure",
    "LastAnswer",
    "Mailed",
    "RegistryChange",
    "ReleaseAction",
    "ReleaseInput",
    "ReleaseOutcome",
    "ReleasePlan",
    "ReleaseProgress",
    "ReleaseQuestion",
    "ReleaseStep",
    "ReleaseVerdict",
    "ReportOutcome",
    "ReviewClosing",
    "ReviewDecision",
    "ReviewKind",
    "ReviewRequest",
    "ReviewRequested",
    "Rollback",
    "RollbackResult",
    "RunFailure",
    "RunRefusal",
    "RunReport",
    "StageOutcome",
    "StageServing",
    "StageVerdict",
    "TrainingDone",
    "TrainingNames",
    "TrainingPlan",
    "TrainingQuestion",
    "TrainingRequests",
    "Trigger",
    "VerificationQuestion",
    "Verified",
    "WaitArguments",
]
