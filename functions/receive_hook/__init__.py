"""Show a review and take its decision."""
