"""What holds for all tests: none is timed, and this machine is reached past any proxy that the environment names.

AWS's library reads its models anew for each session that a test makes, 3 MB of JSON for SageMaker's: here all sessions
have one loader, which has read them before. And a command line is built once, not for each of its commands that is run.
"""

import os
from functools import cache

import botocore.session
import typer.testing
from hypothesis import settings

from sagemaker_local.direct import without_proxy

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
os.environ.update(without_proxy(os.environ))
botocore.session.create_loader = cache(botocore.session.create_loader)
typer.testing._get_command = cache(typer.testing._get_command)  # type: ignore[attr-defined]  # it tells nobody of it
