"""Which training job made a package's model, how long it took, and on what."""

from typing import Any

import pytest
from tests.support.botocore_strict import client_error
from tests.support.training import (
    ARN,
    IMAGE,
    IMAGE_INPUT,
    JOB,
    JOB_MODEL,
    JOB_NAME,
    NO_JOB,
    PACKAGE,
    SETTINGS,
    ports,
    question,
)

from signalbox.aws.errors import ServiceBusyError
from signalbox.contracts.training import EvaluationPlan
from signalbox.training.planning import plan


def planned(job: Any = JOB, model: str = JOB_MODEL) -> EvaluationPlan:
    container = {"Image": IMAGE, "ModelDataUrl": model}
    specification = {"Containers": [container], "SupportedContentTypes": ["text/csv"]}
    return plan(question({"package": ARN}), ports(PACKAGE | {"InferenceSpecification": specification}, job=job))[
        "evaluation"
    ]


def test_a_package_names_the_job_whose_model_it_has_its_time_and_its_instances() -> None:
    fleet = {"instance_type": "ml.m5.large", "instance_count": 2}
    assert planned()["trained"] == {"job": JOB_NAME, "seconds": 61, "fleet": fleet}
    assert planned()["fleet"] is None


@pytest.mark.parametrize(
    "cluster",
    [
        {"EnableManagedSpotTraining": True},
        {
            "ResourceConfig": {
                "VolumeSizeInGB": 10,
                "InstanceGroups": [{"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "a"}],
            }
        },
    ],
)
def test_spot_instances_and_instances_of_several_types_have_no_price(cluster: dict[str, Any]) -> None:
    assert planned(JOB | cluster)["trained"] == {"job": JOB_NAME, "seconds": 61, "fleet": None}


@pytest.mark.parametrize(
    ("job", "model"),
    [
        (JOB, JOB_MODEL.replace("runs/", "others/")),
        (JOB, "s3://artifacts-bucket/model.tar.gz"),
        (NO_JOB, JOB_MODEL),
        (client_error("AccessDeniedException"), JOB_MODEL),
    ],
)
def test_a_job_that_made_another_model_or_cannot_be_seen_is_not_named_and_stops_no_run(job: Any, model: str) -> None:
    assert planned(job, model)["trained"] is None


def test_a_service_that_is_busy_is_asked_again() -> None:
    with pytest.raises(ServiceBusyError):
        planned(client_error("ThrottlingException"))


def test_an_image_is_trained_by_the_run_on_the_instances_of_the_stack() -> None:
    found = plan(question(IMAGE_INPUT), ports())
    assert found["evaluation"]["trained"] is None
    assert found["evaluation"]["fleet"] == {"instance_type": SETTINGS.training_instance_type, "instance_count": 1}
    training: Any = found["requests"]["training"]
    assert training["ResourceConfig"]["InstanceCount"] == 1
