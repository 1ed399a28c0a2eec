"""An own image's Python: what its requirements name is installed once, and its own interpreter is used."""

from __future__ import annotations

import threading
import zipfile
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import SCIKIT_LEARN, job_context, program, tar_gz, training, untar

from sagemaker_local.images import find, requirements
from sagemaker_local.images.requirements import with_python
from sagemaker_local.jobs.training import run_training
from sagemaker_local.runtime.errors import ContainerError

if TYPE_CHECKING:
    from pathlib import Path

TRAIN = """
    import sys, tiny
    open(__import__("os").environ["SAGEMAKER_BASE_DIR"] + "/model/said", "w").write(tiny.SAID)
"""


def image_folder(folder: Path, wanted: str) -> Path:
    """Write an own image with a requirements file, and an index with one small package beside it."""
    program(folder / "containers", TRAIN, kind="train")
    own = folder / "containers" / "own"
    (own / "wheels").mkdir()
    with zipfile.ZipFile(own / "wheels" / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "SAID = 'tiny'")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    (own / "requirements.txt").write_text(wanted)
    return folder / "containers"


def test_what_a_container_requires_is_installed_once_and_needs_no_index_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers = image_folder(tmp_path, "--no-index\n--find-links wheels\ntiny==1.0  # small\n")
    monkeypatch.setattr(requirements, "_person_cache", lambda: tmp_path / "cache")
    s3 = FakeS3()

    outcome = run_training(training(), job_context(tmp_path, s3), threading.Event(), lambda *_: None)

    assert outcome.failure_reason is None
    assert untar(s3.get("s3://out/jobs/job/output/model.tar.gz")) == {"said": b"tiny"}
    (containers / "own" / "wheels" / "tiny-1.0-py3-none-any.whl").unlink()
    again = with_python(find("own", containers), kept_in=tmp_path / "cache")
    assert again.python.startswith(str(tmp_path / "cache" / "own-"))


def test_what_a_users_script_requires_is_installed_on_top_of_the_built_in_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = (image_folder(tmp_path, "") / "own" / "wheels" / "tiny-1.0-py3-none-any.whl").read_bytes()
    monkeypatch.setattr(requirements, "_person_cache", lambda: tmp_path / "cache")
    script = "import os, sklearn, tiny\nopen(os.environ['SM_MODEL_DIR'] + '/said', 'w').write(tiny.SAID)\n"
    code: dict[str, bytes | str] = {
        "train.py": script,
        "tiny-1.0-py3-none-any.whl": wheel,
        "requirements.txt": "--no-index\n--find-links .\ntiny\nscikit-learn\n",
    }
    s3 = FakeS3({"s3://code/sourcedir.tar.gz": tar_gz(code)})
    request = training(
        AlgorithmSpecification={"TrainingImage": SCIKIT_LEARN, "TrainingInputMode": "File"},
        HyperParameters={"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://code/sourcedir.tar.gz"},
    )

    outcome = run_training(request, job_context(tmp_path, s3), threading.Event(), lambda *_: None)

    assert outcome.failure_reason is None
    assert untar(s3.get("s3://out/jobs/job/output/model.tar.gz")) == {"said": b"tiny"}


def test_requirements_that_cannot_be_had_fail_the_job_by_what_pip_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_folder(tmp_path, "--no-index\nno-such-package-anywhere\n")
    monkeypatch.setattr(requirements, "_person_cache", lambda: tmp_path / "cache")

    outcome = run_training(training(), job_context(tmp_path, FakeS3()), threading.Event(), lambda *_: None)

    assert outcome.status == "Failed"
    assert outcome.failure_reason is not None
    assert "requirements.txt for image 'own'" in outcome.failure_reason
    assert "No matching distribution found for no-such-package-anywhere" in outcome.failure_reason


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    containers = image_folder(tmp_path, "tiny==1.0\n")
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(ContainerError, match=r"could not be installed with pip.*cache"):
        with_python(find("own", containers), kept_in=tmp_path / "cache")


@pytest.mark.parametrize("wanted", ["# nothing\n", f"numpy=={version('numpy')}\nboto3\n"])
def test_what_is_here_already_is_not_installed_again(tmp_path: Path, wanted: str) -> None:
    image = find("own", image_folder(tmp_path, wanted))

    assert with_python(image, kept_in=tmp_path / "cache") == image
    assert not (tmp_path / "cache").exists()


def test_a_python_of_the_containers_own_is_what_python3_is_in_it(tmp_path: Path) -> None:
    containers = image_folder(tmp_path, "no-such-package-anywhere\n")
    brought = containers / "own" / "bin" / "python3"
    brought.parent.mkdir()
    brought.touch()

    image = with_python(find("own", containers))

    assert image.command(["python3", "x.py"]) == [str(brought), "x.py"]
