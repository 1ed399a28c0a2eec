"""Writes down the uploads that S3 tells of, and asks for a run over them."""
