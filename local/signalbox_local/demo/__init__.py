"""The demo: the whole journey on one machine, told while it happens."""
