"""A repository at a provider that is this machine, and a person's clone of it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_ANN = {"NAME": "Ann", "EMAIL": "ann@example.com"}


@dataclass(frozen=True)
class Clone:
    """The folder that a person works in, and the bare repository that it is pushed to."""

    folder: Path
    bare: Path

    def git(self, *words: str) -> str:
        """Run git as a person, without settings of whoever runs this; return what it prints."""
        person = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _ANN.items()}
        environment = {**os.environ, **person, "HOME": "/nonexistent"}
        done = subprocess.run(
            ["git", *words], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def begin(self) -> str:
        """Make the repository of what is in the folder; return its first commit."""
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self.git("remote", "add", "origin", str(self.bare))
        return self.push("The first files")

    def join(self) -> None:
        """Take up what is in the repository, which was made of what is in the folder."""
        self.git("init", "--quiet")
        self.git("remote", "add", "origin", str(self.bare))
        self.git("fetch", "--quiet", "origin")
        self.git("reset", "--quiet", "--hard", "origin/main")

    def push(self, message: str) -> str:
        """Commit what was changed, push it to main, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.head

    @property
    def head(self) -> str:
        """The newest commit."""
        return self.git("rev-parse", "HEAD")
