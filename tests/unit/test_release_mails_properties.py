"""Whatever people approve, reject and decline, and whatever fails: a release's mail says what the endpoints serve."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support import serving_mails
from tests.support.notifications import mailed
from tests.unit.releases_world import World, arn, decided, failed

from signalbox.contracts.releases import LastAnswer
from signalbox.stages import Stage, StagesDocument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signalbox.contracts.releases import Trigger
    from signalbox.mail import Mail

STAGING, CANARY = Stage("staging", "ml.m5.large", 1), Stage("canary", "ml.m5.large", 1)
PROD = Stage("prod", "ml.m5.large", 2, approval=True)
VERSIONS = st.integers(1, 5)
DECISIONS = st.sampled_from(["approved", "approved", "rejected", "expired"])
ERRORS = st.sampled_from(
    ["SageMaker.SageMakerException", "States.Timeout", "GoldenMismatchError", "DynamoDB.ThrottlingException", "Other"]
)
# Endpoints of these statuses answer nobody.
SILENT = ("Creating", "Failed", "OutOfService", "Deleting")


class Mailing(World):
    """A world in which every announcement becomes its mail, and is compared with the endpoints of that moment."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        super().__init__(StagesDocument(tuple(stages)))
        self.mails: list[Mail] = []
        self.failures: list[tuple[str, bool]] = []
        self.disturb = self._next

    def serves(self, stage: str) -> int | None:
        """Return the version that a stage's endpoint answers with."""
        endpoint = self.sagemaker.find(f"signalbox-abalone-{stage}")
        package = self.live(stage) if endpoint and endpoint.status not in SILENT else None
        return int(package.rpartition("/")[2]) if package else None

    def _next(self, action: str) -> tuple[LastAnswer, bool] | None:
        if action in ("announce", "wait") or not self.failures:
            return None
        error, happens = self.failures.pop(0)
        return failed(error), happens

    def _announce(self, request: Any, name: str) -> LastAnswer:
        mail = mailed(**request)
        assert (
            serving_mails.rows(mail).items() >= {one.name: self.serves(one.name) for one in self.stages.stages}.items()
        ), mail.text
        for stage, version in serving_mails.sentences(mail):
            assert self.serves(stage) == version, mail.text
        self.mails.append(mail)
        return super()._announce(request, name)


class Releases(RuleBasedStateMachine):
    """Changes in the registry, one execution for each, run in turns with failures, new stages and lost endpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Mailing((STAGING, PROD))
        self.running: dict[str, Iterator[str]] = {}
        self.started = 0

    @rule(version=VERSIONS, approved=st.booleans(), decision=DECISIONS)
    def change_the_registry(self, version: int, approved: bool, decision: str) -> None:
        """Approve or reject a version, and start what that starts."""
        trigger: Trigger = "approved" if approved else "rejected"
        self.world.registry.put(version, trigger.capitalize())
        self.world.decisions = {"prod": decided(decision)}
        self.started += 1
        name = f"run-{self.started:03}"
        at = f"2026-11-20T11:{self.started // 60:02}:{self.started % 60:02}Z"
        self.running[name] = self.world.execution(trigger, version, at, name)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), states=st.integers(1, 40))
    def go_on(self, data: st.DataObject, states: int) -> None:
        """Let one execution take some steps."""
        name = data.draw(st.sampled_from(sorted(self.running)))
        self._advance(name, states)

    @rule(error=ERRORS, happens=st.booleans())
    def let_a_call_fail(self, error: str, happens: bool) -> None:
        """Let the next call fail, with its effect or without."""
        self.world.failures.append((error, happens))

    @rule(stages=st.sampled_from([(STAGING, PROD), (PROD,), (CANARY, STAGING, PROD), (PROD, STAGING)]))
    def change_the_stages(self, stages: tuple[Stage, ...]) -> None:
        """Put another stages document there."""
        self.world.stages = StagesDocument(stages)

    @rule(stage=st.sampled_from(["staging", "prod"]))
    def lose_an_endpoint(self, stage: str) -> None:
        """Let somebody delete an endpoint."""
        found = self.world.sagemaker.find(f"signalbox-abalone-{stage}")
        if found and found.status == "InService":
            del self.world.sagemaker.endpoints[found.name]

    def teardown(self) -> None:
        """Let everything that was started come to its end."""
        for name in sorted(self.running):
            self._advance(name, 10_000)

    def _advance(self, name: str, states: int) -> None:
        for _ in range(states):
            if next(self.running[name], None) is None:
                del self.running[name]
                return
            self.world.sagemaker.tick()


class Rollbacks(RuleBasedStateMachine):
    """Approvals, declined and let in, and rejections, each to its end; what each stage has served is written down."""

    def __init__(self) -> None:
        super().__init__()
        self.world = Mailing((STAGING, PROD))
        self.served: dict[str, list[int]] = {"staging": [], "prod": []}
        self.started = 0

    @rule(version=VERSIONS, decision=DECISIONS)
    def approve(self, version: int, decision: str) -> None:
        """Approve a version, and decide on it for prod."""
        self.world.registry.put(version, "Approved")
        self.world.decisions = {"prod": decided(decision)}
        self._run("approved", version)

    @rule(version=VERSIONS)
    def reject(self, version: int) -> None:
        """Reject a version; a stage that served it goes back."""
        live = {stage: self.world.serves(stage) for stage in self.served}
        self.world.registry.put(version, "Rejected")
        self._run("rejected", version)
        for stage, served in live.items():
            if served == version:
                self._returned(stage)

    @invariant()
    def every_mail_was_true(self) -> None:
        """What `Mailing` has compared; and no stage serves what is rejected."""
        for stage in self.served:
            version = self.world.serves(stage)
            assert version is None or self.world.registry.packages[arn(version)].approved

    def _run(self, trigger: "Trigger", version: int) -> None:
        self.started += 1
        at = f"2026-11-20T11:{self.started // 60:02}:{self.started % 60:02}Z"
        self.world.run(trigger, version, at, f"run-{self.started:03}")
        for stage, served in self.served.items():
            now = self.world.serves(stage)
            if now is not None and served[-1:] != [now]:
                served.append(now)

    def _returned(self, stage: str) -> None:
        """What served before, and is still approved, has returned; else another, where nobody has to be asked."""
        approved = [one for one in range(1, 6) if self._approved(one)]
        now = self.world.serves(stage)
        before = self.served[stage][:-1] if now is not None else self.served[stage]
        earlier = [one for one in before if one in approved]
        if earlier:
            assert now == earlier[-1]
        elif stage == "staging" and approved:
            assert now in approved
        else:
            assert now is None

    def _approved(self, version: int) -> bool:
        package = self.world.registry.packages.get(arn(version))
        return package is not None and package.approved


TestReleases = Releases.TestCase
TestReleases.settings = settings(max_examples=25, stateful_step_count=25)
TestRollbacks = Rollbacks.TestCase
TestRollbacks.settings = settings(max_examples=25, stateful_step_count=15)


def test_a_rejection_does_not_give_a_stage_to_a_package_that_was_declined_for_it_before() -> None:
    rollbacks = Rollbacks()
    for version, decision in ((3, "approved"), (1, "approved")):
        rollbacks.approve(version, decision)
    rollbacks.reject(1)
    rollbacks.approve(2, "approved")
    rollbacks.approve(1, "rejected")

    rollbacks.reject(2)

    assert (rollbacks.world.serves("staging"), rollbacks.world.serves("prod")) == (1, 3)


def test_each_stage_goes_back_to_what_it_served_itself_and_the_mail_names_both() -> None:
    world = Mailing((STAGING, PROD))
    for version, decision in ((26, "approved"), (27, "rejected"), (28, "approved")):
        world.registry.put(version, "Approved")
        world.decisions = {"prod": decided(decision)}
        world.run("approved", version, f"2026-11-20T11:00:{version}Z", f"run-{version}")
    world.registry.put(28, "Rejected")

    world.run("rejected", 28, "2026-11-20T12:00:00Z", "back")

    assert (world.serves("staging"), world.serves("prod")) == (27, 26)
    assert world.mails[-1].subject == "abalone version 27 is back in staging and version 26 is back in prod"
    assert serving_mails.rows(world.mails[-1]) == {"staging": 27, "prod": 26}
    assert serving_mails.rows(world.mails[1]) == {"staging": 27, "prod": 26}


@pytest.mark.parametrize("other", [25, 29])
def test_what_a_stage_served_before_returns_and_not_the_newest_that_is_approved(other: int) -> None:
    world = Mailing((STAGING,))
    world.registry.put(other, "Approved")
    for version in (26, 28):
        world.registry.put(version, "Approved")
        world.run("approved", version, f"2026-11-20T11:00:{version}Z", f"run-{version}")
    world.registry.put(28, "Rejected")

    world.run("rejected", 28, "2026-11-20T12:00:00Z", "back")

    assert world.serves("staging") == 26
