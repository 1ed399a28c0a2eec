"""Reviews: the mails that ask, and what the page behind their links shows."""

from datetime import UTC, datetime
from typing import Any

from signalbox.contracts.reviews import ReviewDecision
from signalbox.reviews import closing
from tests.pictures import tested
from tests.support.review_browser import Browser
from tests.support.reviews import ANN, REPORT, World

PACKAGE, LIVE = f"{tested.GROUP}/4", f"{tested.GROUP}/3"
EXECUTION = tested.mlops("signalbox-abalone-4")
IRIS = f"arn:aws:sagemaker:{tested.ACCOUNT}:model-package/signalbox-iris-decision-tree/1"
RELEASE = f"arn:aws:states:{tested.ACCOUNT}:execution:signalbox-release:signalbox-abalone-4-approved"
NOW = datetime(2026, 11, 20, 10, 20, tzinfo=UTC)
_REASON = "Better on every metric, and the new bays are in. Let it go to staging."
_DOUBTS = "Shells of more than 20 rings are still far off: see the points at the right of the picture."


def approval_mail() -> str:
    """Return the mail that asks for the approval of a regression."""
    return _mail(asked())


def untested_mail() -> str:
    """Return the mail that asks for the approval of a model which its own pipeline has measured, and nobody else."""
    return _mail(asked(tested.registered(), model="rings", package=f"{tested.RINGS}/1"))


def prod_mail() -> str:
    """Return the mail that asks for prod."""
    serving = {"stage": "prod", "endpoint": "signalbox-abalone-prod", "status": "InService", "package": LIVE}
    serving["commit"] = tested.LIVE_COMMIT
    return _mail(asked(kind="stage", stage="prod", execution_arn=RELEASE, serving=serving))


def page() -> str:
    """Return the page behind the mail's link."""
    return _browsed(asked())


def page_of_classes() -> str:
    """Return the page of a classification, opened by the link that rejects."""
    return _browsed(asked(tested.iris(), model="iris-decision-tree", package=IRIS), "reject")


def page_after_a_wrong_word() -> str:
    """Return the page that a wrong word leads to."""
    world = asked()
    return Browser(world).decide(world.link(), "approve", _REASON, word="nomavi").body


def page_after_the_approval() -> str:
    """Return the page that the form leads to."""
    world = asked()
    return Browser(world).decide(world.link(), "approve", _REASON).body


def rejected() -> ReviewDecision:
    """Return what the machine is told of a model that was rejected on the page."""
    world = asked()
    Browser(world).decide(world.link("reject"), "reject", _DOUBTS)
    return closing.close({"execution_arn": EXECUTION, "kind": "package", "stage": None}, world.closing_ports())


def asked(report: str = "", **changes: Any) -> World:
    """Return a world in which a review of version 4 of abalone was asked for, or one with other members."""
    world = World(now=NOW)
    world.reports.texts[REPORT] = report or tested.abalone(4, live=3)
    world.request(**{"package": PACKAGE, "execution_arn": EXECUTION} | changes)
    return world


def _mail(world: World) -> str:
    return next(mail.html for mail in world.outbox.mails if mail.to == ANN)


def _browsed(world: World, choice: str = "approve") -> str:
    return Browser(world).open(world.link(choice)).body
