"""Apps of Studio: what their script finds, in which states they are, and what ends with them."""

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.sagemaker_local.support.jobs import until
from tests.sagemaker_local.support.service import ROLE
from tests.sagemaker_local.support.studio import BASH, HOME, Studio

from sagemaker_local.runtime import namespaces

METADATA = f"{BASH}cat /opt/ml/metadata/resource-metadata.json; echo"
LOOP = f"setsid nohup bash -c 'while echo >> {HOME}/beat; do sleep 0.1; done' > /dev/null 2>&1 &"


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A service with a space."""
    made = Studio(tmp_path)
    made.make_space()
    yield made
    made.studio.close()


@pytest.fixture(params=["in namespaces", "beside others"])
def anywhere(request: pytest.FixtureRequest, studio: Studio) -> Studio:
    """The same, on a machine that gives namespaces and on one that gives none."""
    if request.param == "beside others":
        request.getfixturevalue("without_namespaces")
    return studio


def beats(studio: Studio) -> int:
    path = studio.volume() / "beat"
    return path.stat().st_size if path.exists() else 0


def is_quiet(studio: Studio) -> bool:
    """Tell whether nobody writes any more: three beats of the loop would be seen."""
    before = beats(studio)
    time.sleep(0.3)
    return beats(studio) == before


def test_a_script_finds_what_the_app_is(anywhere: Studio) -> None:
    spec = anywhere.attached(METADATA)
    assert anywhere.start(ResourceSpec=spec) == "InService"
    arn = anywhere.described()["AppArn"]
    assert arn.endswith(f":app/{anywhere.domain}/lab/jupyterlab/default")
    assert anywhere.said() == {
        "AppType": "JupyterLab",
        "DomainId": anywhere.domain,
        "SpaceName": "lab",
        "ExecutionRoleArn": ROLE,
        "ResourceArn": arn.replace("jupyterlab", "JupyterLab"),
        "ResourceName": "default",
        "AppImageVersion": "",
    }


def test_a_script_has_the_regions_variables_and_a_home_that_it_may_write(anywhere: Studio) -> None:
    spec = anywhere.attached(
        f"{BASH}echo $AWS_REGION $AWS_DEFAULT_REGION $AWS_ENDPOINT_URL $USER; pwd > ~/here; touch {HOME}/there"
    )
    assert anywhere.start(ResourceSpec=spec) == "InService"
    assert anywhere.log() == [f"us-east-1 us-east-1 {anywhere.cloud.endpoint_url} sagemaker-user"]
    home = HOME if namespaces.allowed() else str(anywhere.volume())
    assert (anywhere.volume() / "here").read_text() == f"{home}\n"
    assert (anywhere.volume() / "there").exists()


@pytest.mark.skipif(os.getuid() != 0 or not namespaces.allowed(), reason="needs root and namespaces")
def test_a_script_is_the_user_and_not_root(studio: Studio) -> None:
    spec = studio.attached(f"{BASH}id -un; id -u; id -gn; id -G; touch /opt/ml/metadata/x || echo no; touch ~/mine")
    assert studio.start(ResourceSpec=spec) == "InService"
    assert [line for line in studio.log() if not line.startswith("touch")] == [
        "sagemaker-user",
        "1000",
        "users",
        "100",
        "no",
    ]
    made = (studio.volume() / "mine").stat()
    assert (made.st_uid, made.st_gid) == (1000, 100)


def test_the_roles_credentials_come_from_the_containers_endpoint_alone(anywhere: Studio) -> None:
    asked = "import os, urllib.request as u; print(u.urlopen(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI']).read()"
    spec = anywhere.attached(
        f'{BASH}python3 -c "{asked}.decode().replace(chr(10), str()))"; env | grep ^AWS_ | cut -d= -f1 | sort > ~/names'
    )
    assert anywhere.start(ResourceSpec=spec) == "InService", anywhere.described()
    found = anywhere.said()
    assert [found[name] for name in ("AccessKeyId", "SecretAccessKey", "Token")] == ["SageMaker 1"] * 3
    assert anywhere.access.made == [(ROLE, anywhere.cloud.timing.credential_seconds)]
    assert (anywhere.volume() / "names").read_text().split() == [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
    ]


def test_an_app_without_a_configuration_runs_none(studio: Studio) -> None:
    assert studio.start() == "InService"
    assert studio.described()["ResourceSpec"] == {"InstanceType": "ml.t3.medium"}
    assert studio.log() == []


def test_the_default_configuration_runs_where_an_app_names_none_and_does_not_where_it_says_none(
    studio: Studio,
) -> None:
    arn = studio.script(f"{BASH}echo ran >> {HOME}/ran")
    spec = {"LifecycleConfigArn": arn, "InstanceType": "ml.t3.large"}
    studio.profile(JupyterLabAppSettings={"DefaultResourceSpec": spec})
    assert studio.start() == "InService"
    assert studio.described()["ResourceSpec"] == spec
    studio.stop()
    assert studio.start(ResourceSpec={"LifecycleConfigArn": "None"}) == "InService"
    assert (studio.volume() / "ran").read_text() == "ran\n"


def test_an_app_runs_only_what_is_attached_to_its_user_or_domain(studio: Studio) -> None:
    arn = studio.script(BASH)
    refused = studio.refused("CreateApp", **studio.app, ResourceSpec={"LifecycleConfigArn": arn})
    assert refused == (
        f"ValidationException: The lifecycle configuration {arn} is not attached to the user profile or the domain of "
        "the space: name it in their JupyterLabAppSettings.LifecycleConfigArns."
    )
    assert studio.call("ListApps")["Apps"] == []


def test_a_shared_spaces_app_has_the_domains_settings_for_spaces(studio: Studio) -> None:
    lab = {"DefaultResourceSpec": {"LifecycleConfigArn": studio.script(METADATA)}}
    spaces = {"ExecutionRole": f"{ROLE}-of-spaces", "JupyterLabAppSettings": lab}
    studio.make_domain(DefaultSpaceSettings=spaces)
    studio.make_space(SpaceSharingSettings={"SharingType": "Shared"})
    assert studio.start() == "InService"
    assert studio.said()["ExecutionRoleArn"] == f"{ROLE}-of-spaces"


def test_a_shared_space_whose_domain_has_no_role_for_spaces_has_no_app(studio: Studio) -> None:
    studio.call("DeleteSpace", **studio.space)
    studio.make_space(SpaceSharingSettings={"SharingType": "Shared"})
    assert studio.refused("CreateApp", **studio.app).endswith("give its DefaultSpaceSettings an ExecutionRole.")


@pytest.mark.parametrize(
    ("script", "reason"), [("exit 3", "ended with 3"), ("sleep 60", "took longer than 0.0333333 minutes")]
)
def test_an_app_whose_script_fails_or_takes_too_long_fails_with_the_reason(
    studio: Studio, script: str, reason: str
) -> None:
    spec = studio.attached(f"{BASH}echo before\n{LOOP}\n{script}")
    assert studio.start(ResourceSpec=spec) == "Failed"
    stream = f"{studio.domain}/lab/JupyterLab/default/LifecycleConfigOnStart"
    assert studio.described()["FailureReason"] == (
        f"ConfigurationError: the lifecycle configuration {spec['LifecycleConfigArn']} {reason}. See its log in "
        f"CloudWatch Logs, group /aws/sagemaker/studio, stream {stream}."
    )
    assert studio.log() == ["before"]
    assert is_quiet(studio)


def test_what_a_script_left_behind_runs_until_the_app_is_deleted_and_the_volume_stays(anywhere: Studio) -> None:
    spec = anywhere.attached(f"{BASH}{LOOP}")
    assert anywhere.start(ResourceSpec=spec) == "InService"
    until(lambda: beats(anywhere) > 2)
    assert anywhere.stop() == "Deleted"
    assert is_quiet(anywhere)
    before = beats(anywhere)
    assert anywhere.start(ResourceSpec={"LifecycleConfigArn": "None"}) == "InService"
    assert beats(anywhere) == before > 0


def test_a_space_has_one_app_at_a_time_and_neither_changes_nor_goes_while_it_has_one(studio: Studio) -> None:
    assert studio.start() == "InService"
    arn = studio.described()["AppArn"]
    taken = f"ResourceInUse: App [{arn}] already exists."
    assert studio.refused("CreateApp", **studio.app) == taken
    assert studio.refused("CreateApp", **{**studio.app, "AppName": "other"}) == taken
    assert "because App(s) are associated with it." in studio.refused("DeleteSpace", **studio.space)
    sized = {"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 9}}}
    refused = studio.refused("UpdateSpace", **studio.space, SpaceSettings=sized)
    assert refused.endswith("while an App runs in it: delete the App.")
    studio.call("UpdateSpace", **studio.space, SpaceDisplayName="Lab")
    assert studio.stop() == "Deleted"
    studio.call("UpdateSpace", **studio.space, SpaceSettings=sized)
    studio.call("DeleteSpace", **studio.space)


def test_a_configuration_that_an_app_runs_with_is_not_deleted(studio: Studio) -> None:
    spec = studio.attached(BASH)
    studio.start(ResourceSpec=spec)
    studio.profile(JupyterLabAppSettings={"LifecycleConfigArns": []})
    refused = studio.refused("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="c")
    assert refused.endswith(f"in use by {studio.described()['AppArn']}.")
    studio.stop()
    studio.call("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="c")


def test_an_app_that_has_ended_is_described_for_a_day_and_cannot_be_deleted_again(studio: Studio) -> None:
    studio.start()
    studio.stop()
    arn = studio.described()["AppArn"]
    assert studio.refused("DeleteApp", **studio.app) == f"ValidationException: App [{arn}] has already been deleted."
    assert [one["Status"] for one in studio.call("ListApps", SpaceNameEquals="lab")["Apps"]] == ["Deleted"]
    studio.now += timedelta(days=1, minutes=1)
    assert studio.refused("DescribeApp", **studio.app) == f"ResourceNotFound: App [{arn}] does not exist."


def test_a_failed_app_is_gone_by_itself_and_another_may_follow(studio: Studio) -> None:
    spec = studio.attached(f"{BASH}exit 1")
    assert studio.start(ResourceSpec=spec) == "Failed"
    assert studio.refused("DeleteApp", **studio.app).endswith("previously failed and was automatically deleted.")
    assert studio.start() == "InService"
    assert "FailureReason" not in studio.described()


def test_an_app_that_has_not_come_up_cannot_be_deleted(studio: Studio) -> None:
    spec = studio.attached(f"{BASH}until test -e {HOME}/go; do sleep 0.05; done")
    studio.call("CreateApp", **studio.app, ResourceSpec=spec)
    assert studio.refused("DeleteApp", **studio.app).endswith("while it is Pending.")
    (studio.volume() / "go").touch()
    assert studio.settled() == "InService"


def test_an_app_that_fails_unexpectedly_does_not_stay_on_its_way(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr("sagemaker_local.lifecycle.places.MachinePlace.furnish", broken)
    assert studio.start() == "Failed"
    assert studio.described()["FailureReason"] == "InternalServerError: RuntimeError('no disk')"


def test_the_end_of_the_service_ends_every_app(anywhere: Studio) -> None:
    assert anywhere.start(ResourceSpec=anywhere.attached(f"{BASH}{LOOP}")) == "InService"
    until(lambda: beats(anywhere) > 0)
    anywhere.studio.close()
    assert is_quiet(anywhere)


@pytest.mark.parametrize("operation", ["CreateApp", "DescribeApp", "DeleteApp"])
def test_an_app_is_a_spaces(studio: Studio, operation: str) -> None:
    request = {name: value for name, value in studio.app.items() if name != "SpaceName"}
    assert studio.refused(operation, **request) == (
        "ValidationException: Give a SpaceName: an app of type JupyterLab is a space's."
    )
    refused = studio.refused(operation, **request, UserProfileName="ana")
    assert refused == "ValidationException: UserProfileName is not emulated here: give a SpaceName."


def test_apps_are_listed_by_domain_and_space(studio: Studio) -> None:
    studio.start()
    [app] = studio.call("ListApps", DomainIdEquals=studio.domain, SpaceNameEquals="lab")["Apps"]
    assert (app["SpaceName"], app["Status"], app["AppName"]) == ("lab", "InService", "default")
    assert studio.call("ListApps", UserProfileNameEquals="ana")["Apps"] == []
    refused = studio.refused("ListApps", SpaceNameEquals="lab", UserProfileNameEquals="ana")
    assert refused == "ValidationException: Give SpaceNameEquals or UserProfileNameEquals, not both."
