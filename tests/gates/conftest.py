"""The template, read and translated once for all gates."""

import pytest
from tests.gates.template import Template, load


@pytest.fixture(scope="session")
def template() -> Template:
    """Return the template of the repository."""
    return load()
