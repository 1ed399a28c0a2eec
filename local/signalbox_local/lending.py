"""A local cloud for as long as somebody needs one: the one that is up, else a new one without a stack."""

from collections.abc import Iterator
from contextlib import contextmanager

from sagemaker_local.server import free_port
from signalbox_local import project, shell
from signalbox_local.project import ProjectCloud, options


@contextmanager
def lent() -> Iterator[dict[str, str]]:
    """Give the variables by which AWS programs work with it; a new one ends with its use.

    Raises:
        CloudError: it did not start.
    """
    try:
        yield shell.read()
    except shell.NoCloudError:
        project.clear()
        with ProjectCloud(options(free_port())) as cloud:
            yield cloud.environment
