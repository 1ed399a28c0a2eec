"""The parts of the local cloud that stand on ministack, imported with an environment that is put back afterwards."""

import os
import tempfile
from pathlib import Path
from unittest.mock import patch

from sagemaker_local.server import free_port, prepare

with patch.dict(os.environ):
    # ministack reads its environment at import; no test of this process may inherit it.
    prepare(free_port(), Path(tempfile.gettempdir()))
    from sagemaker_local import (
        access,
        cloudtrail,
        events,
        forms,
        integrations,
        ministack,
        ministack_patches,
        ministack_policies,
        ministack_roles,
        ministack_variables,
        regions,
        trail_checks,
        trail_identity,
    )
    from sagemaker_local.sagemaker import service

__all__ = [
    "access",
    "cloudtrail",
    "events",
    "forms",
    "integrations",
    "ministack",
    "ministack_patches",
    "ministack_policies",
    "ministack_roles",
    "ministack_variables",
    "regions",
    "service",
    "trail_checks",
    "trail_identity",
]
