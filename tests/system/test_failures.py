"""What goes wrong ends in a mail that says so, with the failure's own words, and leaves no half-made endpoint."""

import pytest

from sagemaker_local import inbox
from signalbox.mail import MAILS_TAG
from signalbox_local import deploy
from tests.system.world import IRIS, PREFIX, REGISTRY, World

MOODY = f"{REGISTRY}/moody:test"


def test_a_container_that_fails_is_told_with_its_own_words(world: World) -> None:
    execution = world.train("crooked", "c1", max_leaf_nodes="many")

    assert world.ended(execution)["status"] == "FAILED"
    told = inbox.text(world.mail("crooked", "failed"))
    assert "max_leaf_nodes" in told
    assert "many" in told
    assert "/aws/sagemaker/TrainingJobs" in told
    # The program's own log, which has more than the reason that SageMaker takes over.
    assert "THE LAST LINES OF ITS LOG" in told
    assert "max_leaf_nodes" in told.partition("THE LAST LINES OF ITS LOG")[2].partition("DETAILS")[0]
    assert world.endpoint("crooked", "staging") is None


def test_an_image_that_does_not_exist_is_told_by_its_name(world: World) -> None:
    execution = world.train("ghost", "c1", image=f"{REGISTRY}/no-such-image:1")

    assert world.ended(execution)["status"] == "FAILED"
    assert "no-such-image" in inbox.text(world.mail("ghost", "failed"))


def test_an_input_that_makes_no_sense_is_told_before_anything_starts(world: World) -> None:
    execution = world.start({"image": IRIS, "comit": "c1"}, "typo-c1")

    assert world.ended(execution)["status"] == "FAILED"
    assert world.wait_for(
        "a mail about the typo", lambda: [m for m in world.mails("failed") if "comit" in inbox.text(m)]
    )


def test_a_model_that_never_answers_ping_leaves_no_endpoint(world: World) -> None:
    execution = world.train("sulky", "c1", image=MOODY, mood="bad")
    world.approve(world.mail("approve", "sulky version 1"))

    assert world.ended(execution)["status"] == "FAILED"
    told = inbox.text(world.mail("sulky", "failed"))
    assert "ping" in told
    assert "The half-made endpoint was removed" in told
    assert len(world.mails("sulky", "failed")) == 1
    world.wait_for("the end of the half-made endpoint", lambda: world.endpoint("sulky", "staging") is None)


def test_a_silent_rollback_is_reported_as_failed(world: World) -> None:
    world.release("moody", "c1", 1, image=MOODY, mood="good")
    first = world.packages("moody")[0]["ModelPackageArn"]

    execution = world.train("moody", "c2", image=MOODY, mood="bad")
    world.approve(world.mail("approve", "moody version 2"))

    assert world.ended(execution)["status"] == "FAILED"
    endpoint = world.endpoint("moody", "staging")
    assert endpoint is not None
    assert endpoint["EndpointStatus"] == "InService"
    assert world.live_package("moody", "staging") == first
    assert world.live_package("moody", "prod") == first
    told = inbox.text(world.mail("moody", "version 2", "failed"))
    assert "rolled the update back" in told
    assert "has failed in staging" in told
    assert "The stage serves what it served before." in told
    # The release told it, so the machine around it, which failed too, tells nobody.
    assert len(world.mails("moody", "version 2", "failed")) == 1


def ask_for_poison(world: World, model: str) -> bool:
    """Say whether the model in staging answers a request about poison; a brittle one fails at it."""
    runtime = world.client("sagemaker-runtime")
    endpoint = f"{PREFIX}-{model}-staging"
    try:
        runtime.invoke_endpoint(EndpointName=endpoint, Body=b"poison", ContentType="text/csv")
    except runtime.exceptions.ModelError:
        return False
    return True


def test_server_errors_of_a_new_version_roll_it_back_and_those_of_the_old_one_do_not_keep_it_from_being_mended(
    world: World,
) -> None:
    world.release("fragile", "c1", 1, image=MOODY, mood="brittle")
    assert not ask_for_poison(world, "fragile")
    world.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=f"{PREFIX}-fragile-staging",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 3}],
    )

    world.release("fragile", "c2", 2, image=MOODY, mood="good")
    assert ask_for_poison(world, "fragile")
    second = world.packages("fragile")[1]["ModelPackageArn"]
    assert world.live_package("fragile", "staging") == second

    execution = world.train("fragile", "c3", image=MOODY, mood="brittle")
    world.approve(world.mail("approve", "fragile version 3"))
    world.wait_for("an error of the new fleet", lambda: not ask_for_poison(world, "fragile"))

    assert world.ended(execution)["status"] == "FAILED"
    endpoint = world.endpoint("fragile", "staging")
    assert endpoint is not None
    assert endpoint["ProductionVariants"][0]["DesiredInstanceCount"] == 3
    assert world.live_package("fragile", "staging") == second
    told = inbox.text(world.mail("fragile", "version 3", "failed"))
    assert "rolled the update back (An alarm of the auto-rollback configuration is in state ALARM)" in told
    alarms = world.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{PREFIX}-fragile")["MetricAlarms"]
    assert alarms == []


def test_a_wrong_parameter_fails_the_deployment_with_a_sentence(world: World) -> None:
    values = deploy.parameters(world.cloud, Sender="nobody")

    with pytest.raises(deploy.SamError, match="Sender has to be one e-mail address"):
        deploy.deploy(world.cloud, values)


def test_an_execution_that_is_stopped_by_hand_is_told_once_with_the_way_on(world: World) -> None:
    execution = world.train("halted", "c1")
    world.mail("approve", "halted version 1")

    world.client("stepfunctions").stop_execution(executionArn=execution, cause="the wrong data")

    told = inbox.text(world.mail("halted", "was stopped"))
    assert "aws stepfunctions start-execution --state-machine-arn" in told
    assert world.ended(execution)["status"] == "ABORTED"
    assert len(world.mails("halted", "was stopped")) == 1


def test_a_release_that_is_stopped_inside_a_training_ends_it_and_is_told_once(world: World) -> None:
    execution = world.train("paused", "c1")
    world.approve(world.mail("approve", "paused version 1"))
    world.mail("to prod", "paused version 1")
    release = f"{world.outputs['ReleaseMachineArn']}:{execution.rpartition(':')[2]}"

    world.client("stepfunctions").stop_execution(
        executionArn=release.replace(":stateMachine:", ":execution:"), error="Stopped", cause="not on a Friday"
    )

    assert "not on a Friday" in inbox.text(world.mail("paused version 1", "its release was stopped"))
    assert world.ended(execution)["status"] == "FAILED"
    assert len(world.mails("paused", "was stopped")) == 1
    assert world.mails("paused", "has failed") == []


def test_a_mail_that_bounces_raises_an_alarm(world: World) -> None:
    (settings,) = world.client("sesv2").list_configuration_sets()["ConfigurationSets"]
    identity = world.client("sesv2").list_email_identities()["EmailIdentities"][0]["IdentityName"]
    world.client("sesv2").send_email(
        FromEmailAddress=identity,
        Destination={"ToAddresses": ["bounce@simulator.amazonses.com"]},
        Content={"Simple": {"Subject": {"Data": "approve me"}, "Body": {"Text": {"Data": "please"}}}},
        ConfigurationSetName=settings,
        EmailTags=[{"Name": MAILS_TAG, "Value": settings}],
    )

    def bounced() -> dict[str, object] | None:
        alarms = world.client("cloudwatch").describe_alarms()["MetricAlarms"]
        found = [one for one in alarms if one["MetricName"] == "Bounce" and one["StateValue"] == "ALARM"]
        return found[0] if found else None

    assert "Approvers" in str(world.wait_for("the alarm", bounced)["AlarmDescription"])
