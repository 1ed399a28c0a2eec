"""Script mode of the XGBoost and scikit-learn images: run the user's script as AWS's training toolkit does.

The cloud has unpacked `sagemaker_submit_directory` to `code/` under the base folder before this starts, and installed
its requirements.txt.
"""

from __future__ import annotations

import collections
import os
import signal
import subprocess
import sys
from pathlib import Path

from sagemaker_local.images import toolkit

_TAIL = 10  # lines of standard error that may go into the failure file


class ScriptError(Exception):
    """There is no script to run."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)


def command(base: Path, settings: toolkit.Hyperparameters) -> tuple[list[str], Path]:
    """Return what runs the user's script, and the folder it runs in.

    Raises:
        ScriptError: no script is named, or it is not among the user's code.
    """
    program = str(settings.own.get("sagemaker_program", ""))
    if not program:
        raise ScriptError("Please specify the script to run in the hyperparameter sagemaker_program")
    folder = code_folder(base, str(settings.own.get("sagemaker_submit_directory", "")))
    if not (folder / program).is_file():
        raise ScriptError(f"No script {program!r} in the code at {settings.own.get('sagemaker_submit_directory')!r}")
    interpreter = [sys.executable] if program.endswith(".py") else ["/bin/sh"]
    return [*interpreter, program, *settings.arguments()], folder


def code_folder(base: Path, named: str) -> Path:
    """Return where the code named by a submit directory lies: unpacked, or a path under /opt/ml."""
    return base / named.removeprefix("/opt/ml/") if named.startswith("/opt/ml/") else base / "code"


def run(base: Path, image: str) -> int:
    """Run the script; on failure leave its text in output/failure. Returns the script's exit code."""
    settings = toolkit.Hyperparameters.read(base)
    try:
        line, folder = command(base, settings)
    except ScriptError as error:
        return _fail(base, f"ClientError: {error}", 1)
    environment = {**os.environ, **toolkit.environment(base, settings, image)}
    # It led here, to this module; the user's script has only its own code.
    environment["PYTHONPATH"] = str(folder)
    code, last = _run(line, folder, environment)
    if code == 0:
        return 0
    message = "\n".join(last)
    return _fail(
        base, f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{message}"\nCommand "{" ".join(line)}"', code
    )


def _run(line: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, list[str]]:
    """Run to the end; return the exit code and the error's own lines of standard error, which is passed through."""
    last: collections.deque[str] = collections.deque(maxlen=_TAIL)
    # SIGTERM goes to the whole group: the script decides what it does, this waits for it.
    # A handler, unlike SIG_IGN, is not passed on to the script.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with subprocess.Popen(
        line,
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        for text in process.stderr or ():
            sys.stderr.write(text)
            last.append(text.rstrip("\n"))
    code = process.returncode
    return (code if code >= 0 else 128 - code), _error(list(last))


def _error(last: list[str]) -> list[str]:
    """Return the exception that ends a traceback, or else the last lines as they are."""
    for position in range(len(last) - 1, -1, -1):
        if last[position].startswith("  ") and position + 1 < len(last):
            return last[position + 1 :]
    return last


def _fail(base: Path, text: str, code: int) -> int:
    sys.stderr.write(f"{text}\n")
    (base / "output" / "failure").write_text(text)
    return code


if __name__ == "__main__":
    sys.exit(run(Path(os.environ["SAGEMAKER_BASE_DIR"]), sys.argv[1]))
