"""Environments of conda and virtualenvs on the volume, and by which lists they can be made anew.

What is read belongs to the person whose files these are, and the worker may be root: no link is followed, nothing but
plain files is opened, and what is not as it should be is named for the person, not raised.
"""

import json
import os
import re
import stat
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from signalbox_snapshot.entries import FILE, FOLDER, SAME, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from signalbox_snapshot.index import Index

_META, _CONFIG = b"conda-meta", b"pyvenv.cfg"
_LONGEST = 64 * 1024 * 1024
_INSTALLERS = {"pip", "setuptools", "wheel"}
"""What every new environment has in a version that fits its Python."""
_EDITABLE, _LEGACY = b".egg-link", (b".egg-info", b".egg")
_DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError)
"""What reading a file ends in that is not there, is no plain file, or is not what its name says."""


class Environment(NamedTuple):
    """An environment at `path` below the home folder: of conda, or a virtualenv of Python `version` ("3.9", or "").

    `shared` is whether it takes the packages of its Python, too. `channels`, `packages` and `requirements` are what
    conda and pip are given to make it anew; `by_hand` says what neither can do. `starts` is whether it has a program
    by which it can be told that it works: a Python, or an R.
    """

    path: bytes
    conda: bool
    version: str
    shared: bool
    channels: "tuple[str, ...]"
    packages: "tuple[str, ...]"
    requirements: "tuple[str, ...]"
    by_hand: "tuple[str, ...]"
    starts: bool


class _Conda(NamedTuple):
    """What the records of conda say: `owned` are the names of the folders in which its Python packages are described.

    Each package is a channel ("" where none is known) and what conda is asked for.
    """

    packages: "list[tuple[str, str]]"
    owned: "set[bytes]"
    by_hand: "list[str]"


def note(index: "Index", path: bytes, kind: str) -> None:
    """Note the environment that a name is the sign of; those that the script has put aside are none any more."""
    folder, _, name = path.rpartition(b"/")
    is_sign = (kind == FOLDER and name == _META) or (kind in {FILE, SAME} and name == _CONFIG)
    if is_sign and not re.search(rb"\.before(-\d+)?(/|$)", folder):
        index.add_environment(folder)


def environments(home: bytes, index: "Index") -> "Iterator[Environment]":
    """Yield the environments that are noted and there, in the order of their paths: an outer one before inner ones."""
    for path in index.environments():
        full = os.path.join(home, path)
        conda = _is_folder(os.path.join(full, _META))
        if conda or os.path.isfile(os.path.join(full, _CONFIG)):
            yield _read(path, full, conda)


def _read(path: bytes, full: bytes, conda: bool) -> Environment:
    of_conda = _conda(full) if conda else _Conda([], set(), [])
    requirements, by_hand = _distributions(full, of_conda.owned)
    settings = {} if conda else _settings(full)
    numbers = re.match(r"\d+\.\d+", settings.get("version") or settings.get("version_info") or "")
    channels = Counter(channel for channel, _ in of_conda.packages if channel)
    return Environment(
        path,
        conda,
        numbers.group() if numbers else "",
        settings.get("include-system-site-packages", "").lower() == "true",
        tuple(channel for channel, _ in channels.most_common()),
        tuple(package for _, package in of_conda.packages),
        tuple(requirements),
        tuple(shown(what.encode("utf-8", "backslashreplace")) for what in of_conda.by_hand + by_hand),
        any(os.path.lexists(os.path.join(full, b"bin", program)) for program in (b"python", b"R")),
    )


def _conda(full: bytes) -> _Conda:
    found = _Conda([], set(), [])
    for name in _names(os.path.join(full, _META)):
        if name.endswith(b".json"):
            try:
                _record(json.loads(_text(os.path.join(full, _META, name))), found)
            except _DAMAGED:
                found.by_hand.append(f"conda-meta/{shown(name)} is damaged: its package is in no list")
    return found


def _record(given: "dict[str, object]", found: _Conda) -> None:
    """Note a package of conda; raise one of _DAMAGED where the record is none."""
    package = "{}={}".format(*_plain(given["name"], given["version"]))
    files = given.get("files", ())
    for file in files if isinstance(files, list) else ():
        found.owned.update(part.encode() for part in file.split("/") if part.endswith((".dist-info", ".egg-info")))
    channel = re.sub(r"/(noarch|(linux|osx|win)-[a-z0-9_]+)/?$", "", _without_keys(str(given.get("channel") or "")))
    if re.match(r"file:|/|<", channel):
        found.by_hand.append(f"{package}: conda had it from {channel}")
    else:
        found.packages.append((channel, package))


def _distributions(full: bytes, owned: "set[bytes]") -> "tuple[list[str], list[str]]":
    """Return what pip is asked for, and what a person has to do, of all that conda did not bring."""
    requirements, by_hand = [], []
    for place in _places(full):
        for name in _names(place):
            if name in owned:
                continue
            if name.endswith(b".dist-info"):
                wanted, to_do = _distribution(os.path.join(place, name), shown(name))
                requirements += [wanted] if wanted else []
                by_hand += [to_do] if to_do else []
            elif name.endswith(_EDITABLE):
                by_hand.append(f"{shown(name[: -len(_EDITABLE)])}: an editable install{_of(os.path.join(place, name))}")
            elif name.endswith(_LEGACY):
                by_hand.append(f"{shown(name)}: was installed by a setup.py")
    return requirements, by_hand


def _distribution(folder: bytes, name: str) -> "tuple[str, str]":
    """Return a requirement, or what a person has to do; both empty for what belongs to pip itself."""
    try:
        head = _text(os.path.join(folder, b"METADATA")).split("\n\n")[0]
        fields = dict(line.split(": ", 1) for line in head.splitlines() if line.startswith(("Name: ", "Version: ")))
        project, version = _plain(fields["Name"], fields["Version"])
        if os.path.lexists(os.path.join(folder, b"direct_url.json")):
            return "", f"{project} {version}: {_origin(json.loads(_text(os.path.join(folder, b'direct_url.json'))))}"
    except _DAMAGED:
        return "", f"{name} is damaged: its package is in no list"
    if project.lower() in _INSTALLERS:
        return "", ""
    public, _, local = version.partition("+")
    return f"{project}=={public}", f"{project}: it was the variant {local} of {public}" if local else ""


def _origin(given: "dict[str, dict[str, object]]") -> str:
    address = _without_keys(str(given["url"]))
    if given.get("dir_info", {}).get("editable"):
        return f"an editable install of {address}"
    commit = given.get("vcs_info", {}).get("commit_id")
    return f"was installed from {address}{f' at {commit}' if commit else ''}"


def _of(link: bytes) -> str:
    try:
        return f" of {_text(link).splitlines()[0]}"
    except (IndexError, *_DAMAGED):
        return ""


def _settings(full: bytes) -> "dict[str, str]":
    try:
        pairs = [line.partition("=") for line in _text(os.path.join(full, _CONFIG)).splitlines()]
    except _DAMAGED:
        return {}
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _places(full: bytes) -> "list[bytes]":
    """Return the folders in which an environment's Python looks for packages."""
    lib = os.path.join(full, b"lib")
    pythons = [os.path.join(lib, name) for name in _names(lib) if name.startswith(b"python")]
    places = [os.path.join(python, b"site-packages") for python in pythons if _is_folder(python)]
    return [place for place in places if _is_folder(place)]


def _plain(*given: object) -> "list[str]":
    """Return names and versions as they are; raise ValueError where one has what no name or version has."""
    if not all(isinstance(one, str) and re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.!+-]*", one) for one in given):
        raise ValueError("it is no name or version")
    return [str(one) for one in given]


def _without_keys(address: str) -> str:
    """Return an address without the password, the token of conda or the query that it may have."""
    return re.sub(r"/t/[^/]+/", "/", re.sub(r"//[^/@]*@", "//", address.split("?", maxsplit=1)[0]))


def _names(folder: bytes) -> "list[bytes]":
    try:
        return sorted(os.listdir(folder)) if _is_folder(folder) else []
    except OSError:
        return []


def _is_folder(full: bytes) -> bool:
    return os.path.isdir(full) and not os.path.islink(full)


def _text(full: bytes) -> str:
    """Return the text of a plain file; raise OSError or ValueError for anything else."""
    number = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise ValueError("it is no plain file")
        return file.read(_LONGEST).decode("utf-8")
