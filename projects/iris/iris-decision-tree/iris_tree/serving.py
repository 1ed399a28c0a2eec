"""Start gunicorn: `serve` of the container."""

import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

from iris_tree.contract import MODEL_FILE, Folders

THREADS = 4  # of each worker, so that /ping is answered while predictions are made
DRAIN_SECONDS = 25  # SageMaker kills 30 seconds after it asked to stop
IDLE_SECONDS = 60  # that a caller may keep a connection open between two requests
logger = logging.getLogger(__name__)


def main() -> NoReturn:
    """Become gunicorn, which ends at SIGTERM once the requests in work are answered; end with 1 without a model."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    model = Folders.of_environment().model / MODEL_FILE
    if not model.exists():
        logger.error("no model: %s is missing", model)
        sys.exit(1)
    in_container = "SAGEMAKER_BASE_DIR" not in os.environ
    options = _options(in_container)
    if in_container and os.geteuid() == 0:
        # SageMaker starts a container as root, and what answers requests need not be. gunicorn gives its workers
        # another user and group; the further groups they inherit.
        os.setgroups([])
        options += ["--user", "nobody", "--group", "nogroup"]
    command = [sys.executable, "-m", "gunicorn", *options, "iris_tree.wsgi:app"]
    os.execv(sys.executable, command)  # noqa: S606  # signals have to reach gunicorn itself; no shell is wanted


def _options(in_container: bool) -> list[str]:
    # In a container SageMaker asks from outside; anywhere else only this machine may.
    host = "0.0.0.0" if in_container else "127.0.0.1"  # noqa: S104  # see above
    values = {
        "--bind": f"{host}:{os.environ.get('SAGEMAKER_BIND_TO_PORT', '8080')}",
        "--workers": os.environ.get("MODEL_SERVER_WORKERS", os.process_cpu_count() or 1),
        "--threads": THREADS,
        "--graceful-timeout": DRAIN_SECONDS,
        "--keep-alive": IDLE_SECONDS,
        "--chdir": Path(__file__).parents[1],
    }
    return ["--preload", "--no-control-socket", *(str(word) for pair in values.items() for word in pair)]
