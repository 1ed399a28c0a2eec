"""Saves and restores the files of a SageMaker notebook instance, verified, on every Python that instances have had.

Runs on Python 3.6 to 3.13 with the standard library alone, packed into one file. Paths are bytes throughout: a name on
Linux is bytes, and what Python 3.6 makes of them as text depends on the locale, which a lifecycle script does not set.
Annotations are texts, because Python 3.6 cannot evaluate them.
"""
