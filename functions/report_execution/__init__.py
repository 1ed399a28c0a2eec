"""Mail how a run ended."""
