"""The operator's command line: publish pipelines, start trainings, upload data, ask models, see what runs."""
