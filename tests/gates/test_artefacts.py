"""`sam build` makes small functions that import with only the layer and the runtime, and a layer that starts fast."""

import shutil
from pathlib import Path

import pytest
from tests.gates.artefacts import LIMIT, Build, build, check_layer, import_error, loaded, zipped_size
from tests.gates.template import Template
from tests.gates.test_template import listed

# What only rare events of a function need, or another function of the same journey: no cold start waits for it.
NOT_AT_A_START = {
    "EvaluateModelFunction": {"contracts.training", "evaluation.documents"},
    "OnCodePushFunction": {"notifications", "mail", "templates"},
    "OnModelPackageFunction": {"notifications", "mail", "templates", "reviews.closing"},
    "PinModelFunction": {"training.planning", "aws.registry", "stages"},
    "PlanReleaseFunction": {"releases.verifying", "aws.predictions"},
    "PlanTrainingFunction": {"training.pinning", "aws.copying", "aws.images"},
    "ReceiveHookFunction": {"pushes.building", "pushes.adapters", "pushes.experiments", "projects", "notifications"},
    "RequestReviewFunction": {"reviews.closing", "reviews.answering", "reviews.picture", "reviews.kept"},
    "ReviewPageFunction": {"mail", "aws.model", "aws.s3", "reviews.mails", "reviews.picture", "reviews.requesting"},
    "StartRunFunction": {"notifications", "mail", "templates"},
    "VerifyReleaseFunction": {"releases.planning", "aws.table"},
}


@pytest.fixture(scope="module")
def built(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Build:
    return build(template, tmp_path_factory.mktemp("build"))


def test_every_function_imports_with_only_the_layer_and_the_runtime(built: Build) -> None:
    errors = {name: import_error(code, built.layer, built.runtime) for name, code in built.functions.items()}

    assert not {name: error for name, error in errors.items() if error}


@pytest.mark.parametrize("name", NOT_AT_A_START)
def test_a_function_starts_without_what_only_rare_events_need(built: Build, name: str) -> None:
    modules = loaded(built.functions[name], built.layer, built.runtime)

    assert "settings" in modules or "observability" in modules
    assert not modules & NOT_AT_A_START[name]


def test_a_library_that_the_layer_lacks_is_noticed(built: Build, tmp_path: Path) -> None:
    less = shutil.copytree(built.layer, tmp_path / "layer", ignore=shutil.ignore_patterns("aws_lambda_powertools"))

    error = import_error(built.functions["AnnounceFunction"], less, built.runtime)

    assert error is not None
    assert "aws_lambda_powertools" in error


def test_every_function_is_small(built: Build, tmp_path: Path) -> None:
    sizes = {name: zipped_size(code, tmp_path / f"{name}.zip") for name, code in built.functions.items()}

    assert max(sizes.values()) <= LIMIT, sizes


def test_no_function_carries_a_library(built: Build) -> None:
    extra = {
        name: sorted(path.name for path in code.iterdir() if path.is_dir()) for name, code in built.functions.items()
    }

    assert not {name: folders for name, folders in extra.items() if folders}


def test_the_layer_is_compiled_for_arm64_and_leaves_out_what_the_runtime_has(built: Build) -> None:
    problems = list(check_layer(built.layer))

    assert not problems, listed(problems)


def test_a_layer_that_python_would_compile_again_is_noticed(built: Build, tmp_path: Path) -> None:
    less = shutil.copytree(built.layer, tmp_path / "layer", ignore=shutil.ignore_patterns("names.*.pyc"))

    assert [problem.what for problem in check_layer(less)] == ["has no .pyc"]
