"""What an hour of an instance costs on SageMaker, in US dollars, on demand: few types, each read by somebody on a day.

AWS's pages fill in their prices by script. These are answers of the AWS Price List API (`USE1-Train:ml.m5.large` and so
on) that people published with the usage type and the day on which they asked; and lines of a bill that AWS itself
published: https://github.com/aws-samples/sagemaker-ssh-helper/blob/main/Sample_Costs.md (December 2023). A type or a
region that is not here has no price, and nothing is derived from others: training and hosting are priced apart. Ask
`aws pricing get-products --service-code AmazonSageMaker` to add one.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

type Use = Literal["training", "hosting"]
_LIST = "AWS Price List"
_BILL = "a bill that AWS published"


class Price(NamedTuple):
    """US dollars for an hour of one instance, where that was read, and the day or month (ISO) of the reading."""

    dollars: float
    source: str
    read: str


_NORTH_VIRGINIA: Mapping[tuple[Use, str], Price] = {
    ("training", "ml.m5.large"): Price(0.115, _LIST, "2026-08-11"),
    ("training", "ml.g5.2xlarge"): Price(1.515, _LIST, "2026-08-20"),
    ("hosting", "ml.m5.large"): Price(0.115, _LIST, "2026-08-01"),
    ("hosting", "ml.m5.xlarge"): Price(0.23, _LIST, "2026-09-28"),
    ("hosting", "ml.m5.2xlarge"): Price(0.461, _LIST, "2026-09-28"),
}
_IRELAND: Mapping[tuple[Use, str], Price] = {
    ("training", "ml.m5.xlarge"): Price(0.257, _BILL, "2023-12"),
    ("training", "ml.g4dn.xlarge"): Price(0.822, _BILL, "2023-12"),
    ("training", "ml.g5.xlarge"): Price(1.57, _BILL, "2023-12"),
    ("hosting", "ml.m5.xlarge"): Price(0.257, _BILL, "2023-12"),
    ("hosting", "ml.g4dn.xlarge"): Price(0.821, _BILL, "2023-12"),
    ("hosting", "ml.g4dn.4xlarge"): Price(1.678, _BILL, "2023-12"),
    ("hosting", "ml.g4dn.12xlarge"): Price(5.453, _BILL, "2023-12"),
    ("hosting", "ml.g5.12xlarge"): Price(7.91, _BILL, "2023-12"),
}
REGIONS = {"us-east-1": _NORTH_VIRGINIA, "eu-west-1": _IRELAND}


def find(region: str, use: Use, instance_type: str) -> Price | None:
    """Return the price of an hour; None where nobody has read it."""
    return REGIONS.get(region, {}).get((use, instance_type))
