"""Starts the pipeline's next run when one is due, and closes the run that is over."""
