"""The script that makes environments anew: a program of bash, with the list of each environment in it."""

import contextlib
import json
import os
import re
import shlex
from collections import Counter
from typing import TYPE_CHECKING

from signalbox_snapshot.entries import shown, text
from signalbox_snapshot.environments import environments
from signalbox_snapshot.errors import SnapshotError
from signalbox_snapshot.walking import HALF_SCRIPT, SCRIPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signalbox_snapshot.environments import Environment
    from signalbox_snapshot.job import Job

_END = "END"
"""Ends a list: no line of a list is this word alone."""
_PROGRAM = r"""#!/bin/bash
# Makes the environments below this folder anew, where they do not work any more. In a terminal, run
#   bash recreate-environments.sh
# One that works is left as it is. Another is moved to NAME.before, and made anew by its list below; where that fails,
# it is put back. What else lay in its folder is in NAME.before: nothing of it is deleted. It may be run again.
# Each backup and each restore writes this file anew: change a copy of it, beside it, under another name.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
here=$PWD
lists=$(mktemp -d) || exit 1
trap 'rm -rf "$lists"' EXIT
kernels=${JUPYTER_DATA_DIR:-$HOME/.local/share/jupyter}/kernels
export CONDA_ALWAYS_YES=1 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
failed=() left=()

say() { printf '%s: %s\n' "$1" "$2"; }
fails() { say "$1" "$2"; failed+=("$1"); }
by_hand() { left+=("$1: $2"); }
packages() { cat > "$lists/environment.yml"; }
requirements() { cat > "$lists/requirements.txt"; }

# Whether an environment starts, has packages where its Python looks for them, and a pip that finds its Python.
works() {
  local version
  if [ ! -e "$1/bin/python" ] && [ ! -L "$1/bin/python" ]; then
    "$1/bin/R" --version
    return
  fi
  version=$("$1/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || return 1
  [ -d "$1/lib/python$version/site-packages" ] || return 1
  [ ! -e "$1/bin/pip" ] || "$1/bin/pip" --version
}

# Finds what was put aside by a run that was broken off before the new environment was whole.
broken_off() {
  for before in "$1".before "$1".before-*; do
    [ -e "$before/.recreating" ] && return
  done
  return 1
}

# Finds a name under which something can be put aside.
free_name() {
  local number=1
  before=$1.before
  while [ -e "$before" ] || [ -L "$before" ]; do
    number=$((number + 1))
    before=$1.before-$number
  done
}

# An environment that lay in another goes back into it when that one was made anew.
bring() {
  local old inner=$here/$1/$2
  for old in "$here/$1".before "$here/$1".before-*; do
    if [ -d "$here/$1" ] && [ ! -e "$inner" ] && [ -d "$old/$2" ] && [ ! -e "$old/.recreating" ]; then
      mkdir -p "${inner%/*}" && mv -T "$old/$2" "$inner"
    fi
  done
}

virtualenv() {
  local python=python$3
  if ! "$python" -c '' < /dev/null &> /dev/null; then
    python=python3
    say "$1" "there is no Python ${3:-of its own} here; it is made with $(python3 --version 2>&1)"
  fi
  "$python" -m venv ${4:+"$4"} "$2" < /dev/null
}

of_conda() {
  local conda
  for conda in "$CONDA_EXE" conda /home/ec2-user/anaconda3/bin/conda /opt/conda/bin/conda "$here"/*/bin/conda; do
    if "$conda" --version < /dev/null &> /dev/null; then
      "$conda" env create --quiet --prefix "$2" --file "$lists/environment.yml" < /dev/null
      return
    fi
  done
  say "$1" "there is no conda here"
  return 1
}

fill() {
  [ -s "$lists/requirements.txt" ] || return 0
  "$2/bin/python" -m pip install --quiet -r "$lists/requirements.txt" < /dev/null && return
  say "$1" "once more, without asking what each package needs besides"
  "$2/bin/python" -m pip install --quiet --no-deps -r "$lists/requirements.txt" < /dev/null
}

register() {
  [ -z "$3" ] || "$2/bin/python" -m ipykernel install --user --name "$3" --display-name "$3" < /dev/null \
    || fails "$1" "its kernel could not be registered"
}

# What is put aside is marked until the new environment is whole: so a run that is broken off is gone on with.
recreate() {
  local path=$here/$1 make=$2 version=$3 option=$4 kernel=$5 before old
  if broken_off "$path"; then
    old=$before
    free_name "$path"
    if [ -e "$path" ] && ! mv -T "$path" "$before"; then
      fails "$1" "what a run that was broken off has made cannot be moved"
      return
    fi
    before=$old
  elif [ ! -e "$path" ]; then
    say "$1" "is not there any more"
    return
  elif works "$path" < /dev/null &> /dev/null; then
    say "$1" "works"
    [ -e "$kernels/$kernel" ] || register "$1" "$path" "$kernel"
    return
  else
    free_name "$path"
    if ! touch "$path/.recreating" || ! mv -T "$path" "$before"; then
      fails "$1" "does not work, and cannot be moved"
      return
    fi
  fi
  say "$1" "is made anew"
  if "$make" "$1" "$path" "$version" "$option" && fill "$1" "$path"; then
    rm -f "$before/.recreating"
    say "$1" "is made anew; what was there is ${before##*/}, which may be deleted"
    register "$1" "$path" "$kernel"
  else
    rm -rf "$path"
    mv -T "$before" "$path" && rm -f "$path/.recreating"
    fails "$1" "could not be made anew, and is as it was; its list can be changed in a copy of this script"
  fi
}
"""
_EPILOGUE = r"""
[ ${#left[@]} -eq 0 ] || printf 'by hand: %s\n' "${left[@]}"
[ ${#failed[@]} -eq 0 ] || { printf 'failed: %s\n' "${failed[@]}"; exit 1; }
"""


def leave(job: "Job") -> None:
    """Leave the script in the home folder, whole, or take an earlier one away where there is no environment.

    Raises SnapshotError where the volume takes none.
    """
    found = list(environments(job.home, job.notes))
    job.progress.environments(len(found))
    try:
        _remove(os.path.join(job.home, HALF_SCRIPT))
        if found:
            _place(job.home, program(found))
        else:
            _remove(os.path.join(job.home, SCRIPT))
    except OSError as error:
        raise SnapshotError(
            f"the work is done, and {SCRIPT.decode()} could not be written: {error.strerror}",
            "make room on the volume, or rename what has its name, and start the instance again",
        ) from error


def program(found: "Sequence[Environment]") -> bytes:
    """Return the script for environments in the order of their paths."""
    names = Counter(os.path.basename(one.path) for one in found)
    blocks = [_block(one, found, names[os.path.basename(one.path)] == 1) for one in found]
    return (_PROGRAM + "".join(blocks) + _EPILOGUE).encode("utf-8", "surrogateescape")


def _block(one: "Environment", found: "Sequence[Environment]", alone: bool) -> str:
    path = text(one.path)
    lines = ["", f"# {shown(one.path)}", *(_call("by_hand", path, what) for what in one.by_hand)]
    if not path:
        lines[1] = "# this folder itself"
        return "\n".join([*lines, _call("by_hand", ".", "this folder itself is an environment: it is not moved"), ""])
    if not one.starts:
        lines.append(_call("by_hand", path, "it has neither a Python nor an R: look whether it works"))
    if one.conda:
        lines += _list("packages", _specification(one))
    lines += _list("requirements", one.requirements)
    if one.starts:
        lines.append(_call("recreate", path, *_way(one), _kernel(one, alone)))
    lines += [
        _call("bring", path, text(inner.path[len(one.path) + 1 :])) for inner in found if _outer(inner, found) is one
    ]
    return "\n".join([*lines, ""])


def _way(one: "Environment") -> "tuple[str, str, str]":
    """Return which function makes an environment, for which Python, and by which option."""
    if one.conda:
        return "of_conda", "", ""
    return "virtualenv", one.version, "--system-site-packages" if one.shared else ""


def _outer(one: "Environment", found: "Sequence[Environment]") -> "Environment | None":
    """Return the environment in whose folder another lies, the nearest one."""
    around = [other for other in found if other.path and one.path.startswith(other.path + b"/")]
    return max(around, key=lambda other: len(other.path), default=None)


def _specification(one: "Environment") -> "list[str]":
    """Return the lines of conda's file: quoted as JSON, which YAML reads."""
    channels = ["channels:", *(f"- {json.dumps(channel)}" for channel in one.channels)] if one.channels else []
    return [*channels, "dependencies:", *(f"- {json.dumps(package)}" for package in one.packages)]


def _kernel(one: "Environment", alone: bool) -> str:
    """Return the name of the environment's kernel, as Jupyter takes one; empty where it has none."""
    if not any(package.split("=")[0] == "ipykernel" for package in one.packages + one.requirements):
        return ""
    named = os.path.basename(one.path) if alone else one.path
    return re.sub(r"[^a-z0-9._-]+", "-", text(named).lower())


def _list(function: str, lines: "Sequence[str]") -> "list[str]":
    return [f"{function} << '{_END}'", *lines, _END]


def _call(function: str, *words: str) -> str:
    return " ".join([function, *(shlex.quote(word) for word in words)])


def _place(home: bytes, content: bytes) -> None:
    half = os.path.join(home, HALF_SCRIPT)
    try:
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            file.write(content)
        os.rename(half, os.path.join(home, SCRIPT))
    except OSError:
        _remove(half)
        raise


def _remove(full: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.remove(full)
