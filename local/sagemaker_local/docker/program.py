"""`docker`, by its own words: which commands and options there are here, and what they print."""

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagemaker_local.docker.errors import DockerError
from sagemaker_local.docker.store import LocalImage, Store

STORE = "DOCKER_STORE"
VERSION = "27.5.1"
_PLATFORMS = ("linux/amd64", "linux/x86_64")
_BUILD = {"-t": "tag", "--tag": "tag", "-f": "file", "--file": "file", "--build-arg": "arg", "--platform": "platform"}
_BUILD_IGNORED = ("--no-cache", "--pull", "--quiet", "-q", "--load", "--rm", "--force-rm")
_BUILD_IGNORED_VALUES = ("--provenance", "--progress", "--sbom", "--cache-from", "--network")
_LOGIN = {"-u": "user", "--username": "user", "-p": "password", "--password": "password"}
_FIELD = re.compile(r"\{\{\s*(?P<how>json\s+|index\s+)?\.?(?P<path>[\w.]*)\s*(?P<index>\d+)?\s*\}\}")


@dataclass
class Given:
    """The words of a command, taken apart."""

    named: dict[str, list[str]] = field(default_factory=dict)
    plain: list[str] = field(default_factory=list)

    def last(self, name: str, default: str = "") -> str:
        """Return the last value of an option."""
        return self.named.get(name, [default])[-1]


def main() -> int:
    """Do what the words of the command line say; return the exit status."""
    words = sys.argv[1:]
    try:
        _command(words)(Store(Path(os.environ[STORE])))
    except DockerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _command(words: list[str]) -> Callable[[Store], None]:
    for group in (["buildx"], ["image"]):
        if words[:1] == group and words[1:2] in (["build"], ["inspect"], ["ls"], ["tag"], ["push"], ["pull"]):
            words = words[1:]
    name, rest = (words[0], words[1:]) if words else ("", [])
    known = {"ls": _images, **COMMANDS}
    if name not in known:
        raise DockerError(f"docker {name} is not emulated here: there are {', '.join(sorted(COMMANDS))}")
    return lambda store: known[name](store, rest)


def _build(store: Store, words: list[str]) -> None:
    from sagemaker_local.docker import registry  # noqa: PLC0415  # with boto3, which takes longer than most commands
    from sagemaker_local.docker.build import ImageBuild  # noqa: PLC0415
    from sagemaker_local.docker.context import Context  # noqa: PLC0415

    given = _taken("build", words, _BUILD, _BUILD_IGNORED, _BUILD_IGNORED_VALUES)
    if len(given.plain) != 1:
        raise DockerError('"docker build" requires exactly 1 argument.')
    folder = Path(given.plain[0])
    if not folder.is_dir():
        raise DockerError(f'unable to prepare context: path "{folder}" not found')
    platform = given.last("platform", _PLATFORMS[0])
    if platform not in _PLATFORMS:
        raise DockerError(f"--platform {platform} is not emulated here: use {_PLATFORMS[0]}")
    file = Path(given.last("file")) if "file" in given.named else folder / "Dockerfile"
    if not file.is_file():
        raise DockerError(f"failed to read dockerfile: open {file}: no such file or directory")

    def find(reference: str) -> LocalImage | None:
        found = store.find(reference)
        if found is None and registry.is_registry(reference):
            return registry.pull(store, reference, Path(os.environ[STORE]))
        return found

    built = ImageBuild(store, Context.of(folder), _arguments(given), find, _say).build(file.read_text(encoding="utf-8"))
    _say(f"Successfully built {built.folder.name[:12]}")
    for tag in given.named.get("tag", []):
        _say(f"Successfully tagged {store.tag(built, tag)}")


def _arguments(given: Given) -> dict[str, str]:
    found = {}
    for word in given.named.get("arg", []):
        name, equals, value = word.partition("=")
        if equals or name in os.environ:
            found[name] = value if equals else os.environ[name]
    return found


def _tag(store: Store, words: list[str]) -> None:
    source, target = _exactly("tag", words, 2)
    store.tag(store.get(source), target)


def _push(store: Store, words: list[str]) -> None:
    from sagemaker_local.docker import registry  # noqa: PLC0415  # see above

    given = _taken("push", words, {}, ("--quiet", "-q"), ())
    [reference] = _exactly("push", given.plain, 1)
    registry.push(store, reference, _say)


def _pull(store: Store, words: list[str]) -> None:
    from sagemaker_local.docker import registry  # noqa: PLC0415  # see above

    given = _taken("pull", words, {"--platform": "platform"}, ("--quiet", "-q"), ())
    [reference] = _exactly("pull", given.plain, 1)
    registry.pull(store, reference, Path(os.environ[STORE]))
    _say(reference)


def _login(store: Store, words: list[str]) -> None:
    from sagemaker_local.docker import registry  # noqa: PLC0415  # see above

    given = _taken("login", words, _LOGIN, ("--password-stdin",), ())
    [place] = _exactly("login", given.plain, 1)
    password = sys.stdin.read().strip() if "--password-stdin" in words else given.last("password")
    registry.log_in(store, place, given.last("user"), password)
    _say("Login Succeeded")


def _images(store: Store, words: list[str]) -> None:
    _taken("images", words, {}, (), ())
    _say(f"{'REPOSITORY':<40} {'TAG':<20} IMAGE ID")
    for name, number in store.tags().items():
        repository, _, tag = name.rpartition(":")
        _say(f"{repository:<40} {tag:<20} {number[:12]}")


def _inspect(store: Store, words: list[str]) -> None:
    given = _taken("inspect", words, {"-f": "format", "--format": "format", "--type": "type"}, (), ())
    shown = [_shown(store, store.get(reference)) for reference in given.plain]
    if "format" in given.named:
        for one in shown:
            _say(_formatted(given.last("format"), one))
        return
    _say(json.dumps(shown, indent=4))


def _shown(store: Store, image: LocalImage) -> dict[str, Any]:
    configuration = image.configuration
    return {
        "Id": image.id,
        "RepoTags": [name for name, number in store.tags().items() if number == image.folder.name],
        "RepoDigests": [name for name, number in store.digests().items() if number == image.folder.name],
        "Architecture": configuration["architecture"],
        "Os": configuration["os"],
        "Size": image.layer.stat().st_size,
        "Config": configuration["config"],
        "RootFS": {"Type": "layers", "Layers": configuration["rootfs"]["diff_ids"]},
    }


def _formatted(template: str, shown: dict[str, Any]) -> str:
    """Return what of an image a template names: `{{.A.B}}`, `{{json .A}}` and `{{index .A 0}}`."""

    def value(match: re.Match[str]) -> str:
        found: Any = shown
        for name in filter(None, match["path"].split(".")):
            found = found.get(name, "") if isinstance(found, dict) else ""
        if match["index"] is not None:
            try:
                found = found[int(match["index"])]
            except (IndexError, TypeError, KeyError) as error:
                raise DockerError(f"template parsing error: {template}: there is no item {match['index']}") from error
        return found if isinstance(found, str) and (match["how"] or "").strip() != "json" else json.dumps(found)

    text = _FIELD.sub(value, template)
    if "{{" in text:
        raise DockerError(f"--format {template} is not emulated here")
    return text


def _version(_store: Store, _words: list[str]) -> None:
    _say(f"Docker version {VERSION}, of sagemaker_local: images are folders, and no container runs")


def _exactly(command: str, words: list[str], count: int) -> list[str]:
    if len(words) != count:
        raise DockerError(f'"docker {command}" requires exactly {count} argument{"s" if count > 1 else ""}.')
    return words


def _taken(
    command: str, words: list[str], named: dict[str, str], alone: tuple[str, ...], ignored: tuple[str, ...]
) -> Given:
    """Take a command's words apart; an option that is not known is refused by its name."""
    given, rest = Given(), iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            given.plain.append(word)
        elif name in named or name in ignored:
            value = value if equals else next(rest, "")
            given.named.setdefault(named.get(name, name), []).append(value)
        elif name not in alone:
            raise DockerError(f"docker {command} {name} is not emulated here")
    return given


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


COMMANDS: dict[str, Callable[[Store, list[str]], None]] = {
    "build": _build,
    "tag": _tag,
    "push": _push,
    "pull": _pull,
    "login": _login,
    "images": _images,
    "inspect": _inspect,
    "version": _version,
    "--version": _version,
    "info": _version,
}
