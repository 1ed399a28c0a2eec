"""What Signalbox costs: cold starts, handling, sizes, ways through the stack, memory; each beside what bounds it."""
