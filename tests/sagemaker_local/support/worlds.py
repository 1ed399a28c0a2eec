"""Machines that give programs namespaces, and machines that do not."""

import pytest

from sagemaker_local.runtime import namespaces

needs_namespaces = pytest.mark.skipif(
    not namespaces.allowed(), reason=f"programs get no namespaces on this machine: {namespaces.refusal()}"
)


@pytest.fixture
def without_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a machine that gives none."""
    monkeypatch.setattr(namespaces, "refusal", lambda: "switched off by a test")
