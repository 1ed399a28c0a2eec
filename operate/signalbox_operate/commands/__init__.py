"""The commands: plain functions with their options. Each reads the stack, makes one call, and says what happened.

`cli` gives them their names; `terminal` has what they share.
"""
