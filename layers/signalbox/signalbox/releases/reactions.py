"""What a release makes of each answer: the rows that would otherwise be Retry and Catch of two dozen states.

An action that went well is done. One that failed is looked up here: first row of the action whose errors match. Error
names are Step Functions': its own ("States.…"), a service's ("Lambda.…", "SageMaker.…"), or the class of a function's
error. AWS SDK integrations share one name for throttling, faults and refusals (`<Service>.<Service>Exception`).
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from signalbox.contracts.errors import BUSY, DYNAMODB, LAMBDA, TIMEOUT
from signalbox.contracts.releases import ReleaseAction

type Reaction = Literal[
    "proceed",  # go on as if the action had been done: what it was for is as good without it
    "repeat",  # the error passes by itself: ask for the same action again after a pause
    "look",  # nobody knows whether the call arrived: go on if it did, else plan again after a pause
    "close",  # the review has ended without an approval: ask how
    "roll back",  # the stage has failed
    "fail",  # the release has failed, and there is nothing to roll back
    "unrecorded",  # the release has failed, and the stage is as it should be
    "unverified",  # the rollback has failed
]

# A function that may be asked twice is asked again after its own time is over, too. A person's time (`review`) is not.
CALLED = LAMBDA | {BUSY}
REPEATABLE = CALLED | {TIMEOUT}
SAGEMAKER = frozenset({"SageMaker.SageMakerException", "SageMaker.SdkClientException", TIMEOUT})
CLOUDWATCH = frozenset({"CloudWatch.CloudWatchException", "CloudWatch.SdkClientException", TIMEOUT})
ANY: frozenset[str] = frozenset()
# Tries of a function, or of a record. A verification makes two dozen calls: where half of all calls fail, and the
# library repeats each, it still fails every other time.
PATIENT = 10


class ReactionRow(NamedTuple):
    """What to make of some errors of an action.

    `reaction` holds for `times` failures of the action in a row, after them `then`.
    """

    errors: frozenset[str]
    reaction: Reaction
    times: int = 1
    then: Reaction = "fail"

    def matches(self, error: str) -> bool:
        """Say whether the row is about an error."""
        return not self.errors or error in self.errors

    def after(self, failures: int) -> Reaction:
        """Return the reaction to a failure that is the `failures`-th in a row."""
        return self.reaction if self.reaction not in ("repeat", "look") or failures < self.times else self.then


_MAKING = (ReactionRow(SAGEMAKER, "look", 3, "roll back"), ReactionRow(ANY, "roll back"))
_CLEANING = (ReactionRow(ANY, "proceed"),)
# While a release goes forward.
REACTIONS: Mapping[ReleaseAction, tuple[ReactionRow, ...]] = {
    "create-model": _MAKING,
    "create-config": _MAKING,
    # Putting an alarm again changes nothing.
    "put-alarm": (ReactionRow(CLOUDWATCH, "repeat", 4, "roll back"), ReactionRow(ANY, "roll back")),
    # Another execution may have been faster, so each try is planned anew.
    "create-endpoint": _MAKING,
    "update-endpoint": _MAKING,
    # The next plan sees whether the endpoint is gone: a refusal because it is moving is no failure yet.
    "delete-endpoint": (ReactionRow(SAGEMAKER, "proceed"), ReactionRow(ANY, "fail")),
    # What stays behind of an endpoint that is gone, or of a deployment that is off, does no harm.
    "delete-alarm": _CLEANING,
    "delete-config": _CLEANING,
    "delete-model": _CLEANING,
    "review": (
        ReactionRow(frozenset({"ReviewRejected", TIMEOUT}), "close"),
        ReactionRow(CALLED | {"DecisionNotPassedOnError"}, "repeat", PATIENT),
        ReactionRow(ANY, "fail"),
    ),
    "close-review": (ReactionRow(REPEATABLE, "repeat", PATIENT), ReactionRow(ANY, "fail")),
    "verify": (ReactionRow(REPEATABLE, "repeat", PATIENT, "roll back"), ReactionRow(ANY, "roll back")),
    # Traffic stays where it is: the next release finds the stage unrecorded and verifies it again.
    "record": (ReactionRow(DYNAMODB | {TIMEOUT}, "repeat", PATIENT, "unrecorded"), ReactionRow(ANY, "unrecorded")),
    # Sent again is what never reached the function or died in it, and what SES could not take from anybody. A function
    # that ran out of time may have sent some mails: a mail twice is worse than a failed execution, which has an alarm.
    "announce": (ReactionRow(CALLED, "repeat", PATIENT), ReactionRow(ANY, "fail")),
}
# While a failed stage is rolled back: every step is looked at by the next plan, and nothing may hide the first error.
ROLLBACK_REACTIONS: Mapping[ReleaseAction, tuple[ReactionRow, ...]] = {
    "update-endpoint": (ReactionRow(ANY, "proceed"),),
    "delete-endpoint": (ReactionRow(ANY, "proceed"),),
    "delete-alarm": _CLEANING,
    "delete-config": _CLEANING,
    "delete-model": _CLEANING,
    "verify": (ReactionRow(REPEATABLE, "repeat", PATIENT, "unverified"), ReactionRow(ANY, "unverified")),
    "record": (ReactionRow(DYNAMODB | {TIMEOUT}, "repeat", PATIENT, "proceed"), ReactionRow(ANY, "proceed")),
    "announce": (ReactionRow(CALLED, "repeat", PATIENT, "proceed"), ReactionRow(ANY, "proceed")),
}


def row_for(action: ReleaseAction, error: str, *, rolling_back: bool) -> ReactionRow:
    """Return the row about an action's error."""
    rows = (ROLLBACK_REACTIONS if rolling_back else REACTIONS)[action]
    return next(row for row in rows if row.matches(error))
