"""Where the images of AWS that our jobs run in are, by region.

Account ids: the SDK's tables `sagemaker/image_uri_config/xgboost.json` and `sklearn.json`, the same in the SageMaker
"Docker Registry Paths and Example Code" pages (`ecr-us-east-1` and so on). XGBoost and scikit-learn share them.
"""

import botocore.session

XGBOOST = "sagemaker-xgboost:1.7-1"
SCIKIT_LEARN = "sagemaker-scikit-learn:1.2-1-cpu-py3"

# Strings: some begin with a zero.
ACCOUNTS = {
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-2": "246618743249",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "eu-central-1": "492215442770",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-northeast-1": "354813040037",
    "cn-north-1": "450853457545",
    "cn-northwest-1": "451049120500",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
}


class UnknownRegionError(Exception):
    """No image is known in this region."""

    def __init__(self, image: str, region: str, override: str) -> None:
        super().__init__(
            f"the account that holds {image} in region {region!r} is not known here: give the image's full URI "
            f"with {override} (regions known: {', '.join(sorted(ACCOUNTS))})"
        )


def uri(image: str, region: str, *, given: str | None = None, override: str = "an image URI of your own") -> str:
    """Return the URI of `image` (`<repository>:<tag>`) in `region`.

    Args:
        image: `XGBOOST` or `SCIKIT_LEARN`.
        region: an AWS region's name.
        given: a full URI to take instead, whatever the region.
        override: how the caller is given such a URI, for the error's text.

    Raises:
        UnknownRegionError: the region is not in the table and no URI was given.
    """
    if given:
        return given
    if region not in ACCOUNTS:
        raise UnknownRegionError(image, region, override)
    return f"{ACCOUNTS[region]}.dkr.ecr.{region}.{_domain(region)}/{image}"


def _domain(region: str) -> str:
    """Return what addresses of a region's partition end in, such as `amazonaws.com`, by botocore's own table."""
    session = botocore.session.get_session()
    partition = session.get_partition_for_region(region)
    known = session.get_data("partitions")["partitions"]
    return next(str(entry["outputs"]["dnsSuffix"]) for entry in known if entry["id"] == partition)
