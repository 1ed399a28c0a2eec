"""This machine is reached past any proxy that the environment names, by the tests and by all that they start."""

import os

from sagemaker_local.direct import without_proxy

os.environ.update(without_proxy(os.environ))
