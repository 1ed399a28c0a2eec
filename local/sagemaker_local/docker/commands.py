"""The commands of RUN that have an effect without a container: pip's, and those that make folders and set rights."""

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sagemaker_local.docker.context import placed
from sagemaker_local.docker.errors import DockerError

_PIP = (["pip"], ["pip3"], ["python", "-m", "pip"], ["python3", "-m", "pip"])
_ALONE = frozenset(
    {
        "--no-cache-dir",
        "--no-compile",
        "--upgrade",
        "-U",
        "--quiet",
        "-q",
        "--no-input",
        "--disable-pip-version-check",
        "--prefer-binary",
        "--root-user-action=ignore",
        "--require-hashes",
        "--no-deps",
    }
)
_WITH_VALUE = frozenset({"--only-binary", "--no-binary", "--root-user-action", "--timeout", "--retries"})
_LISTS = "/var/lib/apt/lists"
_ASSIGNED = re.compile(r"\w+=.*")
_PUNCTUATION = "();<>|&"


@dataclass(frozen=True)
class Runner:
    """Runs RUN's commands on an image's folder. `require` takes a line for the image's requirements."""

    root: Path
    workdir: str
    require: Callable[[str], None]
    say: Callable[[str], None]

    def run(self, text: str) -> None:
        """Run the commands of one instruction, which `&&` joins.

        Raises:
            DockerError: one of them is none of those that are known here.
        """
        for words in _commands(text):
            self._run(words)

    def _run(self, words: list[str]) -> None:
        while words and _ASSIGNED.fullmatch(words[0]):
            words = words[1:]
        pip = next((prefix for prefix in _PIP if words[: len(prefix)] == prefix), None)
        if pip and words[len(pip) : len(pip) + 1] == ["install"]:
            self._pip(words[len(pip) + 1 :])
        elif words[:1] in (["apt-get"], ["apt"]):
            self.say(f"skipped: {shlex.join(words)}: the packages of this machine's system are what there is")
        elif words[:1] == ["rm"] and all(word.startswith(("-", _LISTS)) for word in words[1:]):
            self.say(f"skipped: {shlex.join(words)}: apt-get has left nothing")
        elif words[:1] in (["mkdir"], ["chmod"]):
            self._on_files(words)
        elif words:
            raise DockerError(
                f"RUN {shlex.join(words)} is not emulated here: use pip install, mkdir, chmod and apt-get, and put "
                "everything else into files that are copied"
            )

    def _pip(self, words: list[str]) -> None:
        rest = iter(words)
        for word in rest:
            name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
            if word in _ALONE:
                continue
            if name in ("-r", "--requirement"):
                self._file(value or next(rest, ""))
            elif name in _WITH_VALUE:
                _ = value if equals else next(rest, "")
            elif word.startswith("-") or "/" in word:
                raise DockerError(f"pip install {word} is not emulated here: name packages, or a requirements file")
            else:
                self.require(word)
        self.say("pip: what is required is installed when the image first runs, unless this machine's Python has it")

    def _file(self, name: str) -> None:
        path = self._inside(name)
        if not path.is_file():
            raise DockerError(f"Could not open requirements file: No such file or directory: {name!r}")
        for line in path.read_text(encoding="utf-8").splitlines():
            self.require(line)

    def _on_files(self, words: list[str]) -> None:
        """Run mkdir or chmod on the files of the image."""
        program, *rest = words
        flags = [word for word in rest if word.startswith("-") and not (program == "chmod" and _is_mode(word))]
        named = [word for word in rest if word not in flags]
        mode = [named.pop(0)] if program == "chmod" and named else []
        paths = [str(path) for word in named for path in self._matching(word, exact=program == "mkdir")]
        done = subprocess.run([program, *flags, *mode, "--", *paths], capture_output=True, text=True, check=False)
        if done.returncode:
            raise DockerError(f"RUN {shlex.join(words)}: {done.stderr.strip().replace(str(self.root), '')}")

    def _matching(self, word: str, *, exact: bool) -> list[Path]:
        path = self._inside(word)
        if exact or not set(word) & set("*?["):
            return [path]
        return sorted(self.root.glob(str(path.relative_to(self.root)))) or [path]

    def _inside(self, path: str) -> Path:
        return placed(self.root, path if path.startswith("/") else f"{self.workdir}/{path}")


def _is_mode(word: str) -> bool:
    return bool(re.fullmatch(r"-[rwxX]+", word))


def _commands(text: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        found = list(lexer)
    except ValueError as error:
        raise DockerError(f"RUN {text}: {error}") from error
    for word in found:
        if word == "&&":
            yield words
            words = []
        elif word and set(word) <= set(_PUNCTUATION):
            raise DockerError(f"RUN {text}: {word} is not emulated here: join commands with &&")
        else:
            words.append(word)
    yield words
