"""Whoever hosts repositories elsewhere, GitHub, GitLab or Bitbucket: makes one, its webhook, and its first commit."""
