"""What SageMaker would refuse later, when training, transform and evaluation are paid for: refused by the first state.

Source of every limit: botocore's `sagemaker` model, whose shape stands beside it.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from signalbox.aws.model import ModelPackage
from signalbox.numerals import whole_number
from signalbox.reading import shown
from signalbox.stages import Stage
from signalbox.training.model import PAYLOAD_MB, InvalidRequestError

_METADATA = 256  # CustomerMetadataValue, TagValue: length, and letters, numbers, separators and these
_METADATA_SIGNS = "_.:/=+-@"
_PROPERTIES = 50  # CustomerMetadataMap
_IMAGE = 255  # AlgorithmImage, ContainerImage
_HYPERPARAMETERS, _KEY, _VALUE = 100, 256, 2500  # HyperParameters, HyperParameterKey, HyperParameterValue
# A record, and so a request with some, may have up to 100 MB (API reference, CreateTransformJob).
PAYLOAD = (1, 100)
MAX_PAYLOAD = "max-payload-mb"
# Pattern ".*" of the model's texts: in Java a dot is no line break.
_BREAK = "[\n\r\x85\u2028\u2029]"
_EVIDENCE = frozenset(("report", "golden"))


def check_metadata(what: str, value: str) -> None:
    """Refuse a text that a package's metadata or a tag cannot hold.

    Raises:
        InvalidRequestError: it is longer than 256 characters, or has a character that SageMaker does not take there.
    """
    if len(value) > _METADATA:
        raise InvalidRequestError(
            f"{what} has {len(value)} characters: SageMaker keeps it with the package and takes {_METADATA}; shorten it"
        )
    odd = next((one for one in value if one not in _METADATA_SIGNS and unicodedata.category(one)[0] not in "LNZ"), None)
    if odd is not None:
        raise InvalidRequestError(
            f"{what} is {shown(value)}, with {odd!r}: SageMaker keeps it with the package and takes letters, numbers, "
            f"spaces and {' '.join(_METADATA_SIGNS)} only; rename it"
        )


def check_image(image: str) -> None:
    """Refuse the URI of an image that is too long.

    Raises:
        InvalidRequestError: it has more than 255 characters.
    """
    if len(image) > _IMAGE:
        raise InvalidRequestError(f"image has {len(image)} characters: SageMaker takes {_IMAGE}; shorten its tag")


def check_hyperparameters(given: Mapping[str, str]) -> None:
    """Refuse hyperparameters that are too many, too long, or have a line break.

    Raises:
        InvalidRequestError: they are; the message names the first.
    """
    if len(given) > _HYPERPARAMETERS:
        raise InvalidRequestError(f"hyperparameters has {len(given)} entries: SageMaker takes {_HYPERPARAMETERS}")
    for key, value in given.items():
        field = f"hyperparameters.{shown(key)[1:-1][:40]}"
        if not 0 < len(key) <= _KEY or len(value) > _VALUE:
            limits = f"a name has 1 to {_KEY} characters, a value up to {_VALUE}"
            raise InvalidRequestError(f"{field} is too long: {limits}")
        if re.search(_BREAK, key + value):
            raise InvalidRequestError(f"{field} has a line break: SageMaker takes one line for each name and value")


def check_package(package: ModelPackage, transform_type: str | None, stages: Sequence[Stage]) -> None:
    """Refuse a package that cannot keep its evidence, or does not support the instances that it is to run on.

    `transform_type` is None for a package that is not tested.

    Raises:
        InvalidRequestError: it has too many properties, or names other types for transforms or for endpoints.
    """
    properties = len(package.properties.keys() | _EVIDENCE)
    if properties > _PROPERTIES:
        raise InvalidRequestError(
            f"package {package.arn} would have {properties} customer metadata properties with its report and golden "
            f"requests: SageMaker takes {_PROPERTIES}; register it with fewer"
        )
    if transform_type:
        _check_type(package, "TransformInstanceType", transform_type, package.transform_types)
    for stage in stages:
        _check_type(package, f"instance_type of the stage {stage.name}", stage.instance_type, package.realtime_types)


def largest_payload(package: ModelPackage) -> int:
    """Return the largest request in MB that a package takes, as its properties say.

    Raises:
        InvalidRequestError: they say no such number.
    """
    given = package.properties.get(MAX_PAYLOAD, str(PAYLOAD_MB))
    try:
        found = whole_number(given)
    except ValueError:
        found = 0
    if not PAYLOAD[0] <= found <= PAYLOAD[1]:
        raise InvalidRequestError(
            f"package {package.arn} has the property {MAX_PAYLOAD!r} with {given!r}: give a whole number of megabytes "
            f"from {PAYLOAD[0]} to {PAYLOAD[1]}"
        )
    return found


def _check_type(package: ModelPackage, what: str, instance_type: str, supported: Collection[str]) -> None:
    if supported and instance_type not in supported:
        raise InvalidRequestError(
            f"package {package.arn} supports {', '.join(supported)}, and {what} is {instance_type}: register the "
            "package with that type too, or change the stack"
        )
