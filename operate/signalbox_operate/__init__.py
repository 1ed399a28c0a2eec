"""The operator's command line: deploy projects, start trainings, upload data, ask models, see what runs."""

__version__ = "0.1.0"  # that of pyproject.toml; a test compares
