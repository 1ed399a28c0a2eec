"""The function `verify_release`."""
