"""Which programs stand for which image."""

import sys
from pathlib import Path

import pytest
from tests.sagemaker_local.support.jobs import OWN, SCIKIT_LEARN, XGBOOST, container, program

from sagemaker_local.images import UnfitProgramError, UnknownImageError, find, pull


def test_the_repository_name_decides_whatever_registry_and_tag(tmp_path: Path) -> None:
    container(tmp_path, train="")

    for uri in (OWN, "own", "own:1.2", "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/own@sha256:" + "a" * 64):
        assert find(uri, tmp_path).folder == tmp_path / "own"
    assert find(XGBOOST, tmp_path).name == "sagemaker-xgboost"
    assert find(SCIKIT_LEARN, tmp_path).name == "sagemaker-scikit-learn"


@pytest.mark.parametrize("uri", ["1.dkr.ecr.x.com/lost:1", "", "../own", "own/../own", "OWN", "own:bad tag"])
def test_an_unknown_image_is_refused_with_what_there_is(tmp_path: Path, uri: str) -> None:
    container(tmp_path, train="")

    with pytest.raises(UnknownImageError, match="sagemaker-xgboost, sagemaker-scikit-learn, own"):
        find(uri, tmp_path)


def test_an_image_in_a_project_folder_is_found_by_its_own_name(tmp_path: Path) -> None:
    container(tmp_path / "project", train="")

    assert find(OWN, tmp_path).folder == tmp_path / "project" / "own"


def test_a_folder_without_programs_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()

    with pytest.raises(UnknownImageError):
        find("notes", tmp_path)
    with pytest.raises(UnknownImageError):
        find("notes", tmp_path / "no-such-folder")


def test_a_script_changes_what_the_xgboost_image_runs(tmp_path: Path) -> None:
    image = find(XGBOOST, tmp_path)

    assert image.train_command({"num_round": "1"})[-1] == "sagemaker_local.images.xgboost_train"
    assert image.train_command({"sagemaker_program": '"train.py"'})[-2:-1] == ["sagemaker_local.images.script_train"]
    assert image.serve_command({})[-1] == "sagemaker_local.images.xgboost_serve"
    assert image.serve_command({"SAGEMAKER_PROGRAM": ""}) == image.serve_command({})
    assert image.serve_command({"SAGEMAKER_PROGRAM": "x.py"})[-2:-1] == ["sagemaker_local.images.script_serve"]


def test_an_own_image_runs_its_own_programs_and_says_which_one_is_missing(tmp_path: Path) -> None:
    image = find("own", program(tmp_path, "", kind="train"))

    assert image.train_command({}) == [str(tmp_path / "own" / "train")]
    with pytest.raises(UnfitProgramError, match="no program 'serve'"):
        image.serve_command({})


@pytest.mark.parametrize(
    ("first", "command"),
    [
        ("#!/usr/bin/env python3", ["PATH"]),
        ("#!/bin/sh", ["PATH"]),
        ("#!/opt/conda/bin/python3.10 -u", [sys.executable, "-u", "PATH"]),
    ],
)
def test_a_program_is_run_by_its_first_line_and_the_image_has_one_python(
    tmp_path: Path, first: str, command: list[str]
) -> None:
    path = program(tmp_path, "", kind="train") / "own" / "train"
    path.write_text(f"{first}\n")

    assert find("own", tmp_path).train_command({}) == [str(path) if word == "PATH" else word for word in command]


def test_a_program_that_is_not_executable_is_refused_by_the_remedy(tmp_path: Path) -> None:
    path = program(tmp_path, "", kind="train") / "own" / "train"
    path.chmod(0o644)

    with pytest.raises(UnfitProgramError, match=f"'train' of image 'own' is not executable.*chmod .x {path}"):
        find("own", tmp_path).train_command({})


def test_a_program_with_line_ends_of_windows_is_refused_by_the_remedy(tmp_path: Path) -> None:
    path = program(tmp_path, "", kind="serve") / "own" / "serve"
    path.write_bytes(b"#!/usr/bin/env python3\r\nprint(1)\r\n")

    with pytest.raises(UnfitProgramError, match="ends with a carriage return: save it with Unix line ends"):
        find("own", tmp_path).serve_command({})


@pytest.mark.parametrize("python", ["python", "python3", "python3.13", "/usr/bin/python3"])
def test_python_in_an_entrypoint_is_the_interpreter_of_the_image(tmp_path: Path, python: str) -> None:
    image = find(SCIKIT_LEARN, tmp_path)

    assert image.command([python, "x.py"], ["--a"]) == [sys.executable, "x.py", "--a"]
    assert image.command(["bash", "x.sh"]) == ["bash", "x.sh"]


def test_code_in_s3_is_found_in_hyperparameters_and_environment(tmp_path: Path) -> None:
    image = find(XGBOOST, tmp_path)

    assert image.code_uri({"sagemaker_submit_directory": '"s3://b/code.tar.gz"'}) == "s3://b/code.tar.gz"
    assert image.code_uri({"SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/code.tar.gz"}) == "s3://b/code.tar.gz"
    assert image.code_uri({"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}) is None
    assert find("own", container(tmp_path)).code_uri({"SAGEMAKER_SUBMIT_DIRECTORY": "s3://b/c"}) is None


def test_an_image_is_named_by_its_content_and_given_out_by_it(tmp_path: Path) -> None:
    container(tmp_path, train="")
    digest = find(OWN, tmp_path).digest

    assert pull(f"own@{digest}", tmp_path).folder == tmp_path / "own"
    assert find("own", tmp_path).digest == digest
    assert len({digest, find(XGBOOST, tmp_path).digest, find(SCIKIT_LEARN, tmp_path).digest}) == 3


def test_an_image_whose_content_has_changed_is_not_given_out_by_its_old_digest(tmp_path: Path) -> None:
    container(tmp_path, train="")
    digest = find(OWN, tmp_path).digest
    (tmp_path / "own" / "more").write_text("pushed again")

    with pytest.raises(UnknownImageError, match="there is no image of this digest"):
        pull(f"own@{digest}", tmp_path)
    assert pull("own:tag", tmp_path).digest != digest
