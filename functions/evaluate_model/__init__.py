"""Measures a model's batch transform and writes the evidence."""
