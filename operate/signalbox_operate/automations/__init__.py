"""A project's build automation: its stack, the command line that its builds run, and its repository's first commit."""
