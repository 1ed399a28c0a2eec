"""Plans one run of the mlops machine."""
