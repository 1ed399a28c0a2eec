"""The images of AWS have an account of their own in each region."""

import pytest

from signalbox_operate.pipelines import images


def test_an_image_is_found_in_its_regions_own_account() -> None:
    assert images.uri(images.XGBOOST, "eu-central-1") == (
        "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    )
    assert images.uri(images.SCIKIT_LEARN, "ap-southeast-1") == (
        "121021644041.dkr.ecr.ap-southeast-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    )


@pytest.mark.parametrize(
    ("region", "registry"),
    [
        ("cn-north-1", "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "414596584902.dkr.ecr.us-gov-west-1.amazonaws.com"),
    ],
)
def test_an_image_of_another_partition_has_its_domain(region: str, registry: str) -> None:
    assert images.uri(images.XGBOOST, region) == f"{registry}/sagemaker-xgboost:1.7-1"


def test_a_given_image_is_taken_in_any_region() -> None:
    assert images.uri(images.XGBOOST, "mars-north-1", given="own/image:1") == "own/image:1"


def test_an_unknown_region_is_named_together_with_what_to_give_instead() -> None:
    with pytest.raises(images.UnknownRegionError, match=r"'mars-north-1'.*with --xgboost-image.*us-east-1"):
        images.uri(images.XGBOOST, "mars-north-1", override="--xgboost-image")
