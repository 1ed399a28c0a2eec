"""What the functions log, as the lines that CloudWatch gets."""

import pytest

from signalbox.observability import logger


def written(caplog: pytest.LogCaptureFixture) -> str:
    """Return the log of a test so far, a line for each record."""
    return "\n".join(logger.registered_handler.format(record) for record in caplog.records)
