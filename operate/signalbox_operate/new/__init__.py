"""`signalbox new`: look at a table, and write the project that learns from it."""
