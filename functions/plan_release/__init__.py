"""The function `plan_release`."""
