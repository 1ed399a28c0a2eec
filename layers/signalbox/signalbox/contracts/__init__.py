"""What passes between a state machine, a function, a table and a mail.

A function's handler takes and returns these types; a machine passes them on. `tests/gates/checks/contracts.py` reads
both machines and holds every variable, payload key, error name and action word in them against this package. All values
are JSON. Times are texts as `signalbox.moments` writes them, unless a machine made them.
"""
