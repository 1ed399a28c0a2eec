"""The stack updated in place: a shorter time for reviews, which then run out."""

from signalbox_local import deploy
from tests.system.world import PARAMETERS, World


def test_a_review_that_nobody_answers_in_time_ends_as_rejected(world: World) -> None:
    deploy.deploy(world.cloud, deploy.parameters(world.cloud, **PARAMETERS, ReviewSeconds=5))
    execution = world.train("patient", "c1")

    world.succeeded(execution)
    assert world.package("patient", 1)["ModelApprovalStatus"] == "Rejected"
    assert "expired" in world.package("patient", 1)["ApprovalDescription"]
    world.mail("patient", "nobody decided in time")
    assert world.endpoint("patient", "staging") is None
