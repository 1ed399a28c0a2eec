"""Close a review that ran out of time."""
