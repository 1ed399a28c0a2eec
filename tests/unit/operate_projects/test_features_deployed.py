"""A project with features gets its group, created or extended, and nothing that is there is lost or contradicted."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.documents import ROOT
from tests.support.project_cloud import ProjectCloud
from tests.support.project_folders import YAML, write

from signalbox_features import fitting
from signalbox_features.sources import of_paths
from signalbox_operate.features import project_features
from signalbox_operate.features import reading as features_reading
from signalbox_operate.pipelines import PipelineError, features_job
from signalbox_operate.projects import checking, deploying, reading, removing, target
from signalbox_operate.projects.model import ProjectError
from signalbox_operate.stack import OperateError

FEATURES = """\
group: cellar
columns:
  - {name: id, type: string}
  - {name: found, type: time}
  - {name: acid, type: number}
identifier: {name: record_id, column: id}
event_time: {name: record_time, column: found}
features:
  - {name: acid}
"""
MORE = FEATURES + "  - {name: strong, derive: acid * 2}\n"
GROUP = "signalbox-wine--cellar"
ROLE = "arn:aws:iam::123456789012:role/signalbox/projects/wine/signalbox-wine-features-us-east-1"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> ProjectCloud:
    monkeypatch.setattr("time.sleep", lambda _: None)
    return ProjectCloud()


def project(folder: Path, features: str = FEATURES, fit: str | None = None) -> Path:
    """Write a project with features, and fit them unless they are to be fitted as others."""
    write(folder, YAML, features__yaml=features)
    data = folder / "data.csv"
    data.write_text("id,found,acid\na,2026-11-20,1\nb,2026-11-21,2\n")
    (folder / "features.yaml").write_text(fit or features)
    definition = features_reading.read(folder)
    fitting.save(fitting.fit(definition, of_paths([data])), folder / features_reading.FITTED)
    (folder / "features.yaml").write_text(features)
    return folder


def deploy(cloud: ProjectCloud, folder: Path, features: str = FEATURES) -> None:
    deploying.deploy(reading.read(project(folder, features)), cloud.place())


def resources(cloud: ProjectCloud) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(cloud.stacks.stacks["signalbox-project-wine"]["template"])["Resources"]
    return made


def statement(cloud: ProjectCloud, role: str, sid: str) -> dict[str, Any]:
    listed = resources(cloud)[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    return next(one for one in listed if one["Sid"] == sid)


def test_a_project_gets_a_group_with_its_features_its_key_its_place_and_its_tags(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    deploy(cloud, tmp_path)

    (made,) = cloud.sagemaker.requests("CreateFeatureGroup")
    assert made["FeatureGroupName"] == GROUP
    assert {one["FeatureName"]: one["FeatureType"] for one in made["FeatureDefinitions"]} == {
        "record_id": "String",
        "record_time": "Fractional",
        "acid": "Fractional",
    }
    assert (made["RecordIdentifierFeatureName"], made["EventTimeFeatureName"]) == ("record_id", "record_time")
    storage = made["OfflineStoreConfig"]["S3StorageConfig"]
    assert storage["S3Uri"] == "s3://signalbox-artifacts/features/wine/"
    assert storage["KmsKeyId"].startswith("arn:aws:kms:")
    assert made["RoleArn"] == ROLE
    assert "OnlineStoreConfig" not in made
    assert {"Key": "sagemaker:project-name", "Value": "wine"} in made["Tags"]
    assert f"feature group {GROUP} created, with 3 features" in cloud.said


def test_roles_may_write_to_this_group_and_keep_its_records_there_alone(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)

    written = statement(cloud, "JobRole", "WriteFeatures")
    assert written["Action"] == ["sagemaker:BatchWriteRecord", "sagemaker:PutRecord"]
    assert written["Resource"]["Fn::Sub"].endswith(f":feature-group/{GROUP}")
    kept = statement(cloud, "FeatureRole", "KeepRecords")
    assert [one["Fn::Sub"] for one in kept["Resource"]] == [
        "arn:${AWS::Partition}:s3:::signalbox-artifacts/features/wine/*"
    ]
    role = resources(cloud)["FeatureRole"]["Properties"]
    assert f"role{role['Path']}{role['RoleName']}" == ROLE.partition("::123456789012:")[2]
    assert "ManagedPolicyArns" not in role


def test_the_job_finds_its_program_its_definition_and_what_was_fitted(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)

    keys = [request["Key"] for request in cloud.s3.requests("PutObject")]
    names = {key.split("/", 3)[3] for key in keys}
    assert {
        "code/features.json",
        "code/features.fitted.json",
        "code/signalbox_features/job.py",
        "code/signalbox_features/__init__.py",
    } <= names


def test_a_second_deployment_leaves_the_group_as_it_is(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)
    deploy(cloud, tmp_path)

    assert len(cloud.sagemaker.requests("CreateFeatureGroup")) == 1
    assert not cloud.sagemaker.requests("UpdateFeatureGroup")
    assert f"feature group {GROUP} unchanged, with 3 features" in cloud.said


def test_features_that_are_new_extend_the_group_and_none_is_taken_away(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)
    deploy(cloud, tmp_path, MORE)
    deploy(cloud, tmp_path)

    (extended,) = cloud.sagemaker.requests("UpdateFeatureGroup")
    assert extended["FeatureAdditions"] == [{"FeatureName": "strong", "FeatureType": "Fractional"}]
    assert f"feature group {GROUP} extended, with 4 features" in cloud.said


def test_a_deployment_that_died_while_the_group_was_made_waits_for_it(cloud: ProjectCloud, tmp_path: Path) -> None:
    cloud.sagemaker.settling = 4
    deploy(cloud, tmp_path)
    cloud.sagemaker.features[GROUP]["looks"] = 4
    deploy(cloud, tmp_path, MORE)

    assert f"feature group {GROUP} extended, with 4 features" in cloud.said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            ("name: record_id", "name: key"),
            "identifier is key, and the feature group signalbox-wine--cellar has record_id",
        ),
        (("name: record_time", "name: at"), "event_time is at"),
        (("{name: acid}", "{name: acid, type: integer}"), "the feature acid is Integral, and Fractional in"),
        (("group:", "store: both\ngroup:"), "store is another than"),
    ],
)
def test_what_the_group_cannot_become_is_refused_by_name_before_anything_is_written(
    cloud: ProjectCloud, tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    deploy(cloud, tmp_path)
    before = len(cloud.s3.calls), len(cloud.stacks.requests("UpdateStack"))

    with pytest.raises(ProjectError, match=sentence):
        deploy(cloud, tmp_path, FEATURES.replace(*change))

    assert (len(cloud.s3.calls), len(cloud.stacks.requests("UpdateStack"))) == before


def test_a_group_that_could_not_be_made_is_told_with_what_to_do(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)
    cloud.sagemaker.features[GROUP] |= {"FeatureGroupStatus": "CreateFailed", "FailureReason": "no such bucket"}

    with pytest.raises(ProjectError, match=r"CreateFailed \(no such bucket\): delete it by `aws sagemaker delete-feat"):
        deploy(cloud, tmp_path)


def test_a_group_that_fails_while_it_is_made_ends_the_deployment_with_its_reason(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    found = reading.read(project(tmp_path))
    cloud.sagemaker.breaks = "no such bucket"
    with pytest.raises(OperateError, match=f"the feature group {GROUP} is CreateFailed: no such bucket"):
        deploying.deploy(found, cloud.place())


@pytest.mark.parametrize(
    ("features", "fit", "sentence"),
    [
        (MORE, FEATURES, "was fitted for other columns, steps or features .* with `signalbox features fit`"),
        (FEATURES.replace("cellar", "Cellar"), None, "write the group Cellar in lower case"),
    ],
)
def test_features_that_cannot_be_deployed_are_refused_without_an_account(
    tmp_path: Path, features: str, fit: str | None, sentence: str
) -> None:
    with pytest.raises(ProjectError, match=sentence):
        reading.read(project(tmp_path, features, fit))


def test_features_that_nobody_fitted_are_told_with_the_command(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / features_reading.FITTED).unlink()
    with pytest.raises(ProjectError, match="fit the features first, with `signalbox features fit`"):
        reading.read(folder)


def test_a_project_that_is_removed_says_that_its_group_stays(cloud: ProjectCloud, tmp_path: Path) -> None:
    deploy(cloud, tmp_path)
    cloud.stacks.stacks["signalbox-project-wine"]["outputs"]["FeatureGroup"] = GROUP

    removing.remove("wine", cloud.place())

    assert GROUP in cloud.sagemaker.features
    assert any(f"the feature group {GROUP} is left as it is, with its records" in line for line in cloud.said)
    deploy(cloud, tmp_path)
    assert f"feature group {GROUP} unchanged, with 3 features" in cloud.said


def test_the_step_gives_the_job_the_runs_files_their_versions_and_the_group(tmp_path: Path) -> None:
    made = reading.read(project(tmp_path))
    told = target.variables(made, made.pipelines["train"], target.example("us-east-1"))
    step = features_job("Features", told, image="image").definition()

    arguments = step["Arguments"]
    inputs = {one["InputName"]: one["S3Input"] for one in arguments["ProcessingInputs"]}
    assert inputs["program"]["S3Uri"].startswith("s3://signalbox-artifacts/code/wine/")
    assert inputs["data"]["S3DataType"] == "ManifestFile"
    assert inputs["versions"]["S3Uri"] == {
        "Std:Join": {"On": "", "Values": [{"Get": "Parameters.InputManifest"}, ".versions.json"]}
    }
    assert arguments["AppSpecification"]["ContainerArguments"][-3:] == ["--end-well", "--group", GROUP]


def test_a_step_without_features_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"step Features: the project has no features\.yaml"):
        features_job("Features", {}, image="image")


def test_abalones_pipeline_trains_on_no_files_that_its_features_refuse() -> None:
    made = checking.check(reading.read(ROOT / "projects" / "abalone"), target.example("us-east-1"))
    steps = {step["Name"]: step for step in made.definitions["abalone"]["Steps"]}
    path = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Features.PropertyFiles.Features"}, "Path": "good"}}
    check = steps["CheckFiles"]["Arguments"]
    assert {"Type": "GreaterThanOrEqualTo", "LeftValue": path, "RightValue": 1} in check["Conditions"]
    assert [one["Name"] for one in check["IfSteps"]] == ["Train"]
    told = check["ElseSteps"][0]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"]
    assert {"Std:JsonGet": {**path["Std:JsonGet"], "Path": "problem"}} in told
    (register,) = steps["CheckMse"]["Arguments"]["IfSteps"]
    assert "Features" in str(register["Arguments"]["CustomerMetadataProperties"]["features"])
    features = project_features.read(ROOT / "projects" / "abalone")
    assert features is not None
    assert len(features.kinds()) == 13
