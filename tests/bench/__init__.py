"""What Signalbox costs: cold starts, handling, sizes, latency through the stack, memory; each beside what bounds it."""
