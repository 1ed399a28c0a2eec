"""Ask people for a review."""
