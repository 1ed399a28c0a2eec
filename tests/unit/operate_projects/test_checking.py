"""What SageMaker, IAM or an upload would refuse is said of a project before anything of it is written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.documents import ROOT
from tests.support.project_folders import SCRIPT, YAML, printing, write

from signalbox.projects import parse_project
from signalbox_operate.projects import checking, definitions, reading, target
from signalbox_operate.projects.model import ProjectError

TARGET = target.example("us-east-1")
SDK = json.loads((ROOT / "tests/fidelity/cases/abalone-definition.json").read_text())
SDK_YAML = """\
project: rings
uploads: {suffix: .csv}
pipelines:
  train:
    definition: pipeline.json
    code: code
    models: [rings]
    parameter: InputDataUrl
    replace:
      "arn:aws:iam::123456789012:role/SageMakerExecutionRole": "{job_role}"
      "s3://sagemaker-us-east-1-123456789012/code": "{code}/code"
      "s3://sagemaker-us-east-1-123456789012": "{output}"
      AbaloneModelPackageGroup: "{group:rings}"
"""


def checked(folder: Path) -> checking.Checked:
    return checking.check(reading.read(folder), TARGET)


def problems(folder: Path) -> list[str]:
    with pytest.raises(ProjectError) as told:
        checked(folder)
    return list(told.value.problems)


def scripted(change: Callable[[dict[str, Any]], None]) -> str:
    """Return the project's script, whose definition is changed before it is printed."""
    made: dict[str, Any] = {}
    code = SCRIPT.replace("print(json.dumps(", "made = (").replace("}))\n", "})\n")
    environment = {
        "SIGNALBOX_JOB_ROLE": TARGET.job_role_arn,
        "SIGNALBOX_GROUPS": json.dumps({"wine": TARGET.group("wine")}),
    }
    exec(code.replace("os.environ", repr(environment)), made)  # noqa: S102  # the script of this test
    change(made["made"])
    return printing(made["made"])


def test_a_project_that_can_be_deployed_says_how_it_takes_uploads_and_what_it_registers(tmp_path: Path) -> None:
    made = checked(write(tmp_path))

    assert (made.inputs["train"].takes, made.inputs["train"].parameter) == ("manifest", "InputManifest")
    group = made.definitions["train"]["Steps"][1]["Arguments"]["ModelPackageGroupName"]
    assert group == "signalbox-wine"


def test_a_definition_of_the_sdk_is_taken_as_it_is_with_its_texts_replaced(tmp_path: Path) -> None:
    folder = write(tmp_path, SDK_YAML, pipeline__json=json.dumps(SDK))

    made = checked(folder)

    found = set(definitions.texts(made.definitions["train"]))
    assert not [text for text in found if "123456789012:role" in text or "sagemaker-us-east-1" in text]
    assert TARGET.job_role_arn in found
    assert (made.inputs["train"].takes, made.inputs["train"].parameter) == ("url", "InputDataUrl")
    assert any(text.startswith("s3://signalbox-artifacts/code/rings/") for text in found)
    assert "signalbox-rings" in found


def test_each_text_of_a_foreign_definition_that_would_be_refused_is_named_with_what_to_write(tmp_path: Path) -> None:
    yaml = SDK_YAML[: SDK_YAML.index("    replace:")]

    said = "\n".join(problems(write(tmp_path, yaml, pipeline__json=json.dumps(SDK))))

    assert 'replace: {"arn:aws:iam::123456789012:role/SageMakerExecutionRole": "{job_role}"}' in said
    assert "step PreprocessAbaloneData reads s3://sagemaker-us-east-1-123456789012/code/preprocess.py" in said
    assert "step TrainAbaloneModel writes to s3://sagemaker-us-east-1-123456789012/abalone/model" in said
    assert 'replace: {"AbaloneModelPackageGroup": "{group:rings}"}' in said


def test_a_text_to_replace_that_is_not_there_and_a_word_that_stands_for_nothing_are_said(tmp_path: Path) -> None:
    yaml = YAML + '    replace: {nowhere: "{output}"}\n'
    assert (
        "line 8, pipelines.train.replace.nowhere: the definition has no such text" in problems(write(tmp_path, yaml))[0]
    )
    yaml = YAML.replace("    code: code\n", "") + '    replace: {image: "{code}/x"}\n'
    assert "nothing is known for {code}: give the pipeline a code folder" in problems(write(tmp_path, yaml))[0]


def test_placeholders_of_a_json_definition_are_filled_in_and_other_braces_stay(tmp_path: Path) -> None:
    words = {"Get": "Parameters.x"}
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "x", "Type": "String", "DefaultValue": "{output}/{notours} {group:wine}"}],
        "Steps": [{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": words}}],
    }
    yaml = "project: wine\npipelines: {train: {definition: d.json}}\n"
    made = checked(write(tmp_path, yaml, d__json=json.dumps(definition)))
    value = made.definitions["train"]["Parameters"][0]["DefaultValue"]
    assert value == "s3://signalbox-artifacts/pipelines/wine/train/runs/{notours} {group:wine}"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("print('hello')\n", "pipeline.py prints no JSON (it printed 'hello')"),
        ("", "pipeline.py prints no JSON (it printed nothing)"),
        ("print('{}')\nprint('done')\n", "prints no JSON"),
        ("raise SystemExit('no data')\n", "pipeline.py ended with exit code 1: no data"),
        (
            "import boto3\nboto3.client('sts').get_caller_identity()\n",
            "pipeline.py asks AWS while it makes the definition",
        ),
        (
            "import boto3\nboto3.client('s3', aws_access_key_id='a', aws_secret_access_key='b').list_buckets()\n",
            "pipeline.py asks AWS while it makes the definition",
        ),
        ("print('[]')\n", "pipeline.py gives no pipeline definition"),
        ("print('{}')\n", "the definition has no Steps"),
        (printing({"Steps": [], "Version": "2020-12-01"}), "the definition has no Steps"),
        (printing({"Steps": [{"Name": "a"}]}), "step a: Type is None"),
        (printing({"Steps": [{"Name": "a", "Type": "Training"}]}), "step a: Arguments have to be an object"),
        (printing({"Version": "1", "Steps": [{}]}), "Version is '1', and has to be '2020-12-01'"),
        (printing({"Steps": {"Name": "a"}}), "Steps have to be a list of objects"),
        (printing({"Metadat": {}}), "a definition has no field 'Metadat'"),
        (printing({"Parameters": [{"Name": "a", "Type": "Text"}]}), "parameter a: Type is 'Text': give one of Boolean"),
        (printing({"Steps": [{"Name": "a", "Type": "Training", "Arguments": {}}]}), "not a legal CreateTrainingJob"),
    ],
)
def test_a_script_that_gives_no_definition_is_said_with_what_it_did(tmp_path: Path, script: str, told: str) -> None:
    said = problems(write(tmp_path, pipeline__py=script))
    assert told in said[0]
    assert said[0].startswith("signalbox.yaml, line 4, pipelines.train: ")


def test_what_libraries_print_before_the_definition_is_passed_over(tmp_path: Path) -> None:
    script = f"print('sagemaker.config INFO - {{defaults}}')\nprint()\n{SCRIPT}".replace(
        "json.dumps({", "json.dumps(indent=2, obj={"
    )
    assert checked(write(tmp_path, pipeline__py=script)).inputs["train"].parameter == "InputManifest"


def test_a_script_sees_no_credentials_and_runs_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_PROFILE", "team")
    script = "import os\nprint(sorted(k for k in os.environ if k.startswith('AWS')), open('note.txt').read())\n"
    said = problems(write(tmp_path, pipeline__py=script, note__txt="found"))[0]
    assert "found" in said
    assert "SECRET" not in said
    assert "PROFILE" not in said


def unread(made: dict[str, Any]) -> None:
    del made["Steps"][0]["Arguments"]["ProcessingInputs"]


def second(made: dict[str, Any]) -> None:
    made["Parameters"].append({"Name": "Other", "Type": "String"})


def two_read(made: dict[str, Any]) -> None:
    made["Parameters"].append({"Name": "Other", "Type": "String", "DefaultValue": "x"})
    first = made["Steps"][0]["Arguments"]["ProcessingInputs"][0]
    source = {**first["S3Input"], "S3Uri": {"Get": "Parameters.Other"}}
    made["Steps"][0]["Arguments"]["ProcessingInputs"].append({"InputName": "other", "S3Input": source})


@pytest.mark.parametrize(
    ("change", "yaml", "told"),
    [
        (unread, YAML, "no job reads a parameter as its input, so uploads cannot be given to it"),
        (second, YAML, "an upload gives InputManifest only, and Other has no default"),
        (two_read, YAML, "say which parameter gets the uploads, with parameter: jobs read InputManifest and Other"),
        (None, YAML + "    parameter: Data\n", "the parameter Data is not in its definition"),
        (None, YAML + "    takes: nothing\n", "takes is nothing, and there is uploads for it"),
        (unread, YAML + "    parameter: InputManifest\n", "say with takes whether the parameter InputManifest gets"),
    ],
)
def test_a_pipeline_that_uploads_cannot_start_is_said(
    tmp_path: Path, change: Callable[[dict[str, Any]], None] | None, yaml: str, told: str
) -> None:
    script = scripted(change) if change else SCRIPT
    assert told in problems(write(tmp_path, yaml, pipeline__py=script))[0]


def test_a_definition_that_takes_no_uploads_is_still_started_by_hand(tmp_path: Path) -> None:
    yaml = YAML.replace("uploads: {prefix: incoming/wine/, suffix: .csv}\n", "")
    made = checked(write(tmp_path, yaml, pipeline__py=scripted(unread)))
    assert (made.inputs["train"].takes, made.inputs["train"].parameter) == ("nothing", None)


def step(kind: str, name: str = "Extra", **fields: Any) -> Callable[[dict[str, Any]], None]:
    def change(made: dict[str, Any]) -> None:
        made["Steps"].append({"Name": name, "Type": kind, "Arguments": {}, **fields})

    return change


def elsewhere(made: dict[str, Any]) -> None:
    made["Steps"][0]["Arguments"]["RoleArn"] = "arn:aws:iam::123456789012:role/Other"


def tagged(made: dict[str, Any]) -> None:
    made["Steps"][0]["Arguments"]["Tags"] = [{"Key": "sagemaker:project-name", "Value": "beer"}]


def other_group(made: dict[str, Any]) -> None:
    made["Steps"][1]["Arguments"]["ModelPackageGroupName"] = "Wines"


def joined(made: dict[str, Any]) -> None:
    parts = {"Std:Join": {"On": "/", "Values": ["s3://other", "place", {"Get": "Execution.PipelineExecutionId"}]}}
    target = {"S3Uri": parts, "LocalPath": "/opt/ml/processing/x", "S3UploadMode": "EndOfJob"}
    outputs = [{"OutputName": "x", "S3Output": target}]
    made["Steps"][0]["Arguments"]["ProcessingOutputConfig"] = {"Outputs": outputs}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (step("EMR"), "step Extra: a project's role has no right for steps of type EMR, only for Condition, Fail"),
        (elsewhere, "step Prepare runs as arn:aws:iam::123456789012:role/Other"),
        (joined, "step Prepare writes to s3://other/place/, which is not the project's"),
        (tagged, "step Prepare has a tag sagemaker:project-name of its own"),
        (other_group, "step Register registers in the package group Wines, which is of none of its models (wine)"),
    ],
)
def test_what_a_run_would_be_denied_is_said(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], told: str
) -> None:
    assert any(told in line for line in problems(write(tmp_path, pipeline__py=scripted(change))))


def test_a_model_that_no_step_registers_is_said_unless_another_program_may(tmp_path: Path) -> None:
    yaml = YAML.replace("[wine]", "[wine, white]")
    assert "models has white, and no step registers" in problems(write(tmp_path, yaml))[0]
    function = "arn:aws:lambda:us-east-1:123456789012:function:register"
    script = scripted(step("Lambda", FunctionArn=function, OutputParameters=[]))
    made = checked(write(tmp_path, yaml, pipeline__py=script))
    granted = made.contents("wine-0", "arn:policy").statements["PipelineRole"]
    assert [one["Resource"] for one in granted if one["Action"] == "lambda:InvokeFunction"] == [[function]]


def test_a_project_with_more_than_a_parameter_holds_is_said(tmp_path: Path) -> None:
    parameters = ", ".join(f"p{number}: {'x' * 200}" for number in range(30))
    yaml = f"project: wine\ncontainers: {{wine: {{problem: binary, hyperparameters: {{{parameters}}}}}}}\n"
    with pytest.raises(ProjectError, match=r"more than the 4,096 .* the document of model wine"):
        checked(write(tmp_path, yaml))


def test_jobs_get_the_projects_tags_where_the_definition_has_none(tmp_path: Path) -> None:
    made = checked(write(tmp_path)).definitions["train"]
    made["Steps"][0]["Arguments"]["Tags"] = [{"Key": "team", "Value": "theirs"}]

    marked = definitions.tag(made, {"sagemaker:project-name": "wine", "team": "ours"})

    assert marked["Steps"][0]["Arguments"]["Tags"] == [
        {"Key": "team", "Value": "theirs"},
        {"Key": "sagemaker:project-name", "Value": "wine"},
    ]
    assert "Tags" not in marked["Steps"][1]["Arguments"]  # a package has the tags of its group
    assert len(made["Steps"][0]["Arguments"]["Tags"]) == 1


def test_the_data_of_a_container_are_looked_at_where_they_lie_in_the_project(tmp_path: Path) -> None:
    yaml = "project: wine\ncontainers: {wine: {problem: binary, train: train.csv, test: test.csv}}\n"
    rows = "".join(f"{number % 2},{number}\n" for number in range(40))
    others = "".join(f"{number % 2},{number}\n" for number in range(100, 140))
    checked(write(tmp_path, yaml, train__csv=rows, test__csv=others))
    for wrong, told in (("kind,size\n" + rows, "is a header (kind,size)"), (others, "test rows are training rows too")):
        said = problems(write(tmp_path, yaml, train__csv=wrong, test__csv=others))
        assert said[0].startswith("signalbox.yaml, line 2, containers.wine: ")
        assert told in said[0]


@pytest.mark.parametrize(
    ("golden", "text", "told"),
    [
        ("{wine: golden.jsonl}", None, "there is no golden.jsonl in the pipeline's code"),
        ("{beer: golden.jsonl}", "", "the pipeline registers wine: name one of its models"),
        ("{wine: golden.jsonl}", "\n", "the golden requests golden.jsonl are 0: give 1 to 100, one in a line"),
        ("{wine: golden.jsonl}", '{"content_type": "a/b"}', "line 1 of golden.jsonl needs either body, a text, or"),
    ],
)
def test_golden_requests_that_cannot_be_asked_are_said_with_their_line(
    tmp_path: Path, golden: str, text: str | None, told: str
) -> None:
    files = {} if text is None else {"code/golden__jsonl": text}
    (said,) = problems(write(tmp_path, f"{YAML}    golden: {golden}\n", **files))
    assert said.startswith("signalbox.yaml, line 8, pipelines.train.golden.")
    assert told in said


def test_what_a_project_says_of_sets_stands_in_its_document(tmp_path: Path) -> None:
    said = YAML.replace("suffix: .csv}", "suffix: .csv, complete: manifest.json, replace: true}")
    contents = checked(write(tmp_path, said)).contents("wine-0123456789ab", "")
    (uploads,) = parse_project(contents.document).uploads
    assert (uploads.complete, uploads.replace) == ("manifest.json", True)
