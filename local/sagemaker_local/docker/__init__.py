"""A `docker` without containers: it builds images as folders, and pushes them to ECR and pulls them from there.

It is the program `docker` of privileged builds. What it does not know it refuses by name.
"""
