"""Tests here reach this machine only, and hold no key that opens anything."""

from tests.sagemaker_local.support.codecommit import codecommits
from tests.sagemaker_local.support.worlds import without_namespaces
from tests.support.isolation import no_account, pytest_runtest_setup

__all__ = ["codecommits", "no_account", "pytest_runtest_setup", "without_namespaces"]
