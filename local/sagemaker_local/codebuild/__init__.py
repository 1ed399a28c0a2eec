"""AWS CodeBuild: projects, and builds whose buildspecs really run, each in a process of its own as its service role."""
