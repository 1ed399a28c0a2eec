"""`python -m sagemaker_local` starts the cloud, prints the variables that AWS programs need, and runs until Ctrl-C."""

import argparse
import shlex
import signal
import sys
from pathlib import Path

from sagemaker_local.process import CloudError, LocalCloud, Options

_STOPPED = 130
_FAILED = 1


def main() -> int:
    """Run the cloud; return the exit status."""
    options = argparse.ArgumentParser(prog="sagemaker_local", description=__doc__)
    options.add_argument("--port", type=int, default=4566, help="port of 127.0.0.1; 0 takes a free one")
    options.add_argument(
        "--folder", type=Path, default=Path(".sagemaker_local"), help="where jobs, servers and the log are kept"
    )
    options.add_argument("--containers", type=Path, help="your own images: a folder each, with `train` and `serve`")
    options.add_argument("--aws-names", action="store_true", help="answer AWS's host names too, by an HTTPS proxy")
    chosen = options.parse_args()
    # A shell that starts this in the background makes it deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with LocalCloud(Options(chosen.folder, chosen.containers, chosen.port, aws_names=chosen.aws_names)) as cloud:
            sys.stdout.write(_instructions(cloud))
            sys.stdout.flush()
            cloud.join()
    except KeyboardInterrupt:
        return _STOPPED
    except CloudError as error:
        sys.stderr.write(f"{error}\n")
    return _FAILED


def _instructions(cloud: LocalCloud) -> str:
    """Return what a shell may run: a line for each variable, and comments."""
    variables = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in cloud.environment.items())
    return f"{variables}# Mails: {cloud.url}/_local/inbox  Log: {cloud.log}  Ctrl-C ends the cloud.\n"


if __name__ == "__main__":
    sys.exit(main())
