"""Mail that an execution was stopped, or ran out of time."""
