"""What holds for all tests: none is timed, and this machine is reached past any proxy that the environment names."""

import os

from hypothesis import settings

from sagemaker_local.direct import without_proxy

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
os.environ.update(without_proxy(os.environ))
