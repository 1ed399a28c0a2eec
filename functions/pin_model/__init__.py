"""Pins the model of one run of the mlops machine by its content."""
