"""A project's folder: its `signalbox.yaml` read, checked, and deployed to a stack."""
