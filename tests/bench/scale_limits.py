"""The limits on the way of an upload that its rate runs into: AWS's defaults, what they are raised to, and who says so.

`docs/scale.md` has all limits; here are those that the simulation counts. Figures are those of us-east-1.
"""

from typing import NamedTuple

_DOCS = "https://docs.aws.amazon.com"


class Limit(NamedTuple):
    """So many `unit` at once or a second by default, and the higher figure that the simulation has for many uploads.

    `how` says how it is raised, or that it cannot be; `source` is the page that has the default.
    """

    what: str
    default: float
    raised: float
    how: str
    source: str


EVENTS, MAPPING, FUNCTIONS = "events", "mapping", "functions"
TABLE, KEY, REQUESTS, DOCUMENTS = "table", "key", "requests", "documents"
LIMITS = {
    EVENTS: Limit(
        "invocations of targets by EventBridge a second",
        18_750,
        60_000,
        "Service Quotas",
        f"{_DOCS}/eventbridge/latest/userguide/eb-quota.html",
    ),
    MAPPING: Limit(
        "batches that Lambda handles at once for one queue",
        1_250,
        20_000,
        "provisioned mode of the event source mapping",
        f"{_DOCS}/lambda/latest/dg/services-sqs-scaling.html",
    ),
    FUNCTIONS: Limit(
        "functions of an account at work at once",
        1_000,
        3_000,
        "Service Quotas",
        f"{_DOCS}/lambda/latest/dg/limits.html",
    ),
    TABLE: Limit(
        "write units of the table a second",
        40_000,
        400_000,
        "Service Quotas",
        f"{_DOCS}/amazondynamodb/latest/developerguide/Limits.html",
    ),
    KEY: Limit(
        "write units of one partition key a second",
        1_000,
        1_000,
        "not at all",
        f"{_DOCS}/amazondynamodb/latest/developerguide/throttling-key-range-limit-exceeded-mitigation.html",
    ),
    REQUESTS: Limit(
        "calls a second for one message group of the queue of requests",
        300,
        300,
        "not at all",
        f"{_DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html",
    ),
    DOCUMENTS: Limit(
        "calls of GetParametersByPath a second",
        40,
        100,
        "higher throughput of Parameter Store",
        f"{_DOCS}/systems-manager/latest/userguide/parameter-store-throughput.html",
    ),
}
# Batches that Lambda handles at once when messages begin to come, and how many more each second: by itself, and in
# provisioned mode, which is three times as fast (the page of `MAPPING`).
FIRST_BATCHES, MORE_BATCHES, MORE_PROVISIONED = 5, 300 / 60, 900 / 60
# What an upload takes of a function of 512 MB. HeadObject and the transaction take 0.04 seconds together, and a batch's
# ten uploads, which are recorded beside each other on a third of a processor, 0.1. An estimate: nothing here was
# measured on AWS, and the local cloud does not tell.
SECONDS = 0.01
TAKING_SECONDS = 0.1  # a transaction of 100 items, estimated as well
QUERY_SECONDS = 0.01  # a query of the table that reads little, and so is this
