"""AWS CodeCommit: its API, and a real git server behind it."""
