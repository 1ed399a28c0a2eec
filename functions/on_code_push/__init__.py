"""Builds what is pushed, and hands on what a build has published."""
