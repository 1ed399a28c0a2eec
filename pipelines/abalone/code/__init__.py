"""The programs that the jobs of the abalone pipeline run; they need no more than their images have."""
