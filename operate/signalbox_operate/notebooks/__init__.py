"""Notebook instances: their files are saved, restored and moved."""
