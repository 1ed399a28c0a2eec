"""Signalbox: the rules, ports and adapters that the Lambda functions share, one module or package per journey."""

import gc

# A cold start makes 60,000 to 120,000 objects, nearly all of which stay. Looking through them for garbage, some thirty
# times with Python's own threshold, takes 8 to 16 % of its CPU time: the first look comes after it.
gc.set_threshold(150_000)
