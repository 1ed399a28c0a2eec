"""Which project an upload belongs to, and how the documents of projects and models are found."""

from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.logs import written
from tests.support.parameters import RememberedParameters
from tests.support.projects import WINE, model_text, project_text

from signalbox import names, projects
from signalbox.aws.errors import CallRefusedError
from signalbox.projects import Project, ProjectPipeline, ProjectUploads


def project(name: str, *uploads: ProjectUploads) -> Project:
    pipelines = {each.pipeline: ProjectPipeline(names.pipeline("signalbox", name, each.pipeline)) for each in uploads}
    return Project(name, f"{name}-0123456789ab", uploads, pipelines)


def ssm_client(answers: dict[str, Any]) -> Any:
    """Return a client of Parameter Store that answers so and remembers what it was asked."""
    return RecordingClient("ssm", answers)


def owner(found: projects.Claim | None) -> str:
    return found.pipeline.name if found else ""


ALL = project("all", ProjectUploads("incoming/", "all"))
WINE_CSV = project("wine", ProjectUploads("incoming/wine/", "wine", ".csv"))
TWO = project("two", ProjectUploads("two/", "two"), ProjectUploads("two/", "archives", ".gz"))


@pytest.mark.parametrize(
    ("key", "pipeline"),
    [
        ("incoming/wine/a.csv", "signalbox-wine"),
        ("incoming/a.csv", "signalbox-all"),
        ("incoming/wine/a.txt", ""),  # the place is wine's, and wine wants none of these
        ("elsewhere/a.csv", ""),
        ("two/a.csv", "signalbox-two"),
        ("two/a.csv.gz", "signalbox-two--archives"),
    ],
)
def test_an_upload_is_of_the_project_with_the_longest_prefix_that_wants_its_ending(key: str, pipeline: str) -> None:
    assert owner(projects.claim((ALL, TWO, WINE_CSV), key)) == pipeline
    assert owner(projects.claim((WINE_CSV, ALL, TWO), key)) == pipeline


def test_what_names_the_files_of_a_set_is_of_the_project_too_and_no_other_ending_takes_it() -> None:
    sets = project(
        "sets",
        ProjectUploads("sets/", "sets", ".csv", complete="manifest.json"),
        ProjectUploads("sets/", "others", ".json"),
    )
    assert owner(projects.claim((sets,), "sets/a-manifest.json")) == "signalbox-sets"
    assert owner(projects.claim((sets,), "sets/a.csv")) == "signalbox-sets"
    assert owner(projects.claim((sets,), "sets/a.json")) == "signalbox-sets--others"
    assert projects.claim((sets,), "sets/a.txt") is None


def test_a_place_is_its_projects_also_where_the_ending_is_not_wanted() -> None:
    assert projects.covering((ALL, WINE_CSV), "incoming/wine/a.txt") == WINE_CSV
    assert projects.covering((WINE_CSV,), "incoming/a.csv") is None


def test_of_two_projects_with_one_prefix_the_first_by_name_has_its_uploads() -> None:
    one, other = (project(name, ProjectUploads("incoming/", name)) for name in ("abalone", "birds"))

    assert owner(projects.claim((other, one), "incoming/a.csv")) == "signalbox-abalone"


def test_a_claim_says_how_long_no_upload_may_have_come() -> None:
    quiet = project("slow", ProjectUploads("slow/", "slow", quiet_seconds=900))

    found = projects.claim((quiet,), "slow/a.csv")

    assert found is not None
    assert found.uploads.quiet_seconds == 900


def test_the_projects_of_a_stack_are_those_below_its_path_whatever_the_page() -> None:
    first = {"Parameters": [parameter("wine", project_text())], "NextToken": "more"}
    second = {"Parameters": [parameter("beer", project_text(project="beer", uploads=[], pipelines={}))]}
    ssm = ssm_client({"get_parameters_by_path": [first, second, {"Parameters": []}]})

    found = projects.load_projects("signalbox", ssm)

    assert [each.project for each in found] == ["beer", "wine"]
    assert [call["Path"] for call in ssm.requests("GetParametersByPath")] == [
        *["/signalbox/projects"] * 2,
        "/signalbox/grants",
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("wine", "{", "the text is not JSON"),
        ("beer", project_text(), "project is 'wine', but the parameter is that of 'beer'"),
        (
            "wine",
            project_text(uploads=[], pipelines={"train": {**WINE["pipelines"]["train"], "name": "signalbox-red-wine"}}),
            "pipelines.train.name is 'signalbox-red-wine', but the pipeline of this name is 'signalbox-wine--train'",
        ),
    ],
)
def test_a_document_that_cannot_be_used_stops_no_other_project(
    name: str, text: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = project_text(project="good", uploads=[], pipelines={})
    ssm = RememberedParameters({f"/signalbox/projects/{name}": text, "/signalbox/projects/good": good})

    assert [each.project for each in projects.load_projects("signalbox", ssm)] == ["good"]  # type: ignore[arg-type]  # its twin
    assert said in written(caplog)


def test_a_models_document_is_found_by_its_name() -> None:
    ssm = ssm_client(
        {"get_parameter": {"Parameter": {"Value": model_text()}}, "get_parameters_by_path": {"Parameters": []}}
    )

    found = projects.load_model("signalbox", "wine", ssm)

    assert found is not None
    assert found.project == "wine"
    assert ssm.requests("GetParameter") == [{"Name": "/signalbox/models/wine"}]


def test_a_model_of_a_stack_from_before_projects_has_no_document() -> None:
    ssm = ssm_client({"get_parameter": client_error("ParameterNotFound")})

    assert projects.load_model("signalbox", "abalone", ssm) is None
    assert projects.load_model("signalbox", "Not/a name", ssm) is None
    assert len(ssm.requests("GetParameter")) == 1  # no parameter can have the second name


def test_a_refusal_of_parameter_store_is_no_missing_document() -> None:
    ssm = ssm_client({"get_parameter": client_error("AccessDeniedException")})

    with pytest.raises(CallRefusedError, match="GetParameter of /signalbox/models/wine was refused"):
        projects.load_model("signalbox", "wine", ssm)


def test_the_names_of_models_with_a_document_are_sorted() -> None:
    page = {"Parameters": [{"Name": f"/signalbox/models/{model}", "Value": "{}"} for model in ("wine", "beer")]}

    assert projects.load_model_names("signalbox", ssm_client({"get_parameters_by_path": page})) == (
        "beer",
        "wine",
    )


def parameter(name: str, text: str) -> dict[str, str]:
    return {"Name": f"/signalbox/projects/{name}", "Value": text}
