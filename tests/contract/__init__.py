"""What we rely on outside our own code: ministack's internals, and AWS's behaviour as our local cloud shows it."""
