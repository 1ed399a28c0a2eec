"""`signalbox run`: try a project's pipeline on the local cloud, and show what came of it."""
