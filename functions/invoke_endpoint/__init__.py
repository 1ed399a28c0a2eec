"""Answers predictions over HTTP from the endpoint of a stage."""
