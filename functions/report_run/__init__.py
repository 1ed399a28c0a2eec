"""Mail why a run failed."""
