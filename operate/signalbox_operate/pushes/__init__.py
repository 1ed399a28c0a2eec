"""What a build of a commit does: main is published, and every other branch is an experiment beside it."""
