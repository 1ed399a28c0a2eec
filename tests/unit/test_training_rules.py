"""Reading the input of the mlops machine."""

from typing import Any

import pytest

from signalbox.training.model import ImageRequest, InvalidRequestError, PackageRequest
from signalbox.training.rules import read

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/iris-decision-tree:8c1d"
USUAL = {"image": IMAGE, "commit": "8c1d", "problem": "regression"}
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/3"


def test_an_image_alone_is_named_after_its_repository_and_takes_every_default() -> None:
    request = read("signalbox", {"image": IMAGE, "commit": "8c1d2e3f", "problem": "binary"})
    group = "signalbox-iris-decision-tree"
    assert request == ImageRequest(IMAGE, "8c1d2e3f", "binary", "iris-decision-tree", group, None, None, {})


def test_an_image_of_another_partition_is_taken() -> None:
    image = IMAGE.replace("us-east-1.amazonaws.com", "cn-north-1.amazonaws.com.cn")
    request = read("signalbox", USUAL | {"image": image})
    assert isinstance(request, ImageRequest)
    assert (request.image, request.model) == (image, "iris-decision-tree")


def test_a_repository_name_that_is_no_legal_model_name_becomes_one() -> None:
    image = IMAGE.replace("iris-decision-tree", "iris_tree")
    request = read("signalbox", {"image": image, "commit": "8c1d", "problem": "regression"})
    assert request.model.startswith("iris-tree-")


def test_what_is_given_is_kept() -> None:
    given: dict[str, Any] = {
        "image": IMAGE.split(":", maxsplit=1)[0] + "@sha256:" + "a" * 64,
        "commit": "main/8c1d",
        "problem": "multiclass",
        "model": "iris",
        "train_data": "s3://data/a/",
        "test_data": "s3://data/b/",
        "content_type": "Text/CSV; charset=utf-8",
        "hyperparameters": {"max_leaf_nodes": "30"},
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn:aws:states:us-east-1:123456789012:execution:a:b",
    }
    request = read("signalbox", given)
    assert request == ImageRequest(
        given["image"],
        "main/8c1d",
        "multiclass",
        "iris",
        "signalbox-iris",
        "s3://data/a/",
        "s3://data/b/",
        {"max_leaf_nodes": "30"},
    )


def test_a_package_is_known_by_its_group() -> None:
    assert read("signalbox", {"package": PACKAGE}) == PackageRequest(PACKAGE, "abalone", "signalbox-abalone")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("text", "the input is str, not an object"),
        ({}, "exactly one of 'image'"),
        ({"image": IMAGE, "package": PACKAGE}, "exactly one of 'image'"),
        ({"image": IMAGE}, "commit is missing"),
        ({"image": IMAGE, "commit": "8c1d"}, "problem is missing: allowed are regression, binary, multiclass"),
        (USUAL | {"problem": "classification"}, 'problem is "classification": allowed are regression, binary'),
        ({"image": IMAGE, "commit": " "}, 'commit is " ": give the commit\'s id'),
        ({"image": IMAGE, "commit": "a b"}, 'commit is "a b": give the commit\'s id, at most 128 letters'),
        (USUAL | {"commit": "c" * 129}, "give the commit's id, at most 128 letters"),
        ({"image": 7, "commit": "8c1d"}, "image is 7: give the URI of an image in ECR"),
        ({"image": "python:3", "commit": "8c1d"}, 'image is "python:3": give the URI of an image in ECR'),
        ({**USUAL, "test_data": ""}, 'test_data is ""'),
        ({"image": IMAGE, "commit": "8c1d", "colour": "red"}, "colour is not a field: known are commit, content_type"),
        (
            {"image": IMAGE, "commit": "8c1d", "model": "a--b_"},
            'model is "a--b_": give lower-case letters, digits and single hyphens',
        ),
        ({"image": IMAGE, "commit": "8c1d", "model": "m" * 60}, "too long.*shorten it"),
        (
            {"image": IMAGE, "commit": "8c1d", "content_type": "text/libsvm"},
            'content_type is "text/libsvm": give text/csv, the only type',
        ),
        ({**USUAL, "hyperparameters": []}, r"hyperparameters is \[\]: give an object"),
        (
            {**USUAL, "hyperparameters": {"depth": 3}},
            "hyperparameters.depth is 3: give a text, in quotes",
        ),
        ({**USUAL, "hyperparameters": {"depth": "3" * 2501}}, "hyperparameters.depth is too"),
        ({**USUAL, "hyperparameters": {str(n): "" for n in range(101)}}, "101 entries"),
        ({**USUAL, "hyperparameters": {"depth": "3\n4"}}, "hyperparameters.depth has a line"),
        ({**USUAL, "hyperparameters": {"de\u2028pth": "3"}}, "has a line break"),
        ({**USUAL, "model": "Iris"}, 'model is "Iris": give lower-case letters'),
        ({"image": f"{IMAGE}-{'t' * 100}/{'r' * 150}:1", "commit": "8c1d"}, 'image is "'),
        ({"image": IMAGE.replace("team/", "team/" * 40), "commit": "8c1d", "model": "m"}, "image has 268 characters"),
        ({**USUAL, "max_payload_mb": 0}, "max_payload_mb is 0: give a whole number from 1 to"),
        ({**USUAL, "max_payload_mb": "6"}, 'max_payload_mb is "6"'),
        ({"package": PACKAGE, "max_payload_mb": 101}, "max_payload_mb is 101"),
        (
            {"package": PACKAGE, "commit": "8c1d"},
            "commit is not a field: known are max_payload_mb, network_isolation, package",
        ),
        ({"package": "abalone/3"}, "package: 'abalone/3' is not the ARN"),
        ({"package": PACKAGE.replace("signalbox-", "other-")}, "does not start with 'signalbox-'"),
    ],
)
def test_a_wrong_input_is_refused_by_the_name_of_its_field(given: Any, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        read("signalbox", given)


def test_a_repository_whose_name_is_too_long_asks_for_the_field_model() -> None:
    image = IMAGE.replace("iris-decision-tree", "-".join(["long"] * 11))
    with pytest.raises(InvalidRequestError, match="give a shorter one in the field 'model'"):
        read("signalbox", {"image": image, "commit": "8c1d"})
