"""Runs the worker."""

from signalbox_snapshot.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
