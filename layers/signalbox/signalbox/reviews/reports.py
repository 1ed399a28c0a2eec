"""The evaluation report that a review is asked with, read from S3: only who asks for reviews reads it."""

from signalbox.aws.errors import CallRefusedError
from signalbox.aws.s3 import ObjectStore, ObjectTooLargeError
from signalbox.reviews.model import ReviewError

REPORT_LIMIT = 1_000_000  # bytes; a report has about four thousand


def read_report(uri: str, objects: ObjectStore) -> str:
    """Return an evaluation report's text.

    Raises:
        ReviewError: it is not there, is larger than `REPORT_LIMIT`, or must not be read.
        ServiceBusyError: S3 could not answer now.
    """
    try:
        report = objects.text(uri, REPORT_LIMIT)
    except (CallRefusedError, ObjectTooLargeError, ValueError) as error:
        message = f"the evaluation report {uri} cannot be read: {error}"
        raise ReviewError(message) from error
    if report is None:
        raise ReviewError(f"the evaluation report {uri} cannot be read: there is no such object")
    return report
