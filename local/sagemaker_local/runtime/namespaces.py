"""What a container sees of a machine, by Linux's namespaces, where the machine lets a program have them.

Nothing is installed for it and nobody has to be root: a user namespace makes a program root of its own small world. It
sees `/opt/ml`, a system to read, devices that harm nobody, its own /tmp and /root, and nothing else: not the person's
home, not other jobs, not the cloud. macOS has nothing of the kind, and some hosts forbid it.
"""

import contextlib
import marshal
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HOST = "algo-1"
"""The name of a job's only host, as resourceconfig.json has it."""
PYTHON = "/opt/environment"
"""Where a program sees the environment of its Python."""
_LAUNCHER = Path(__file__).with_name("launcher.py")
_HOSTS = f"127.0.0.1\tlocalhost {HOST}\n::1\tlocalhost ip6-localhost ip6-loopback\n"
_OPEN_TO_ALL = 0o1777
_SYSTEM: tuple[str | Path, ...] = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/nix", "/gnu")
_PROBE_SECONDS = 20
_CHANNEL_SECONDS = 30.0
_LISTENING = "0A"


class NamespaceError(Exception):
    """The namespaces of a program could not be made."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the program's namespaces could not be made: {problem}")


class NotExecutedError(OSError):
    """A program could not be executed in its box."""


@dataclass(frozen=True)
class Shown:
    """A path of this machine, and where a program sees it."""

    path: Path
    inside: str
    writable: bool = False


@dataclass(frozen=True)
class Forward:
    """A port of 127.0.0.1 in a program's own network, and the one of this machine that it leads to."""

    inside: int
    outside: int


@dataclass(frozen=True)
class Box:
    """The world of one program.

    Attributes:
        root: a folder of its own that becomes `/`; what is written outside of `shown` lands there.
        shown: what it sees of this machine besides the system.
        alone: it has a network of its own, which leads nowhere.
        forward: how it reaches the cloud nevertheless.
        largest_file: the bytes that one file may have; 0 for no limit.
    """

    root: Path
    shown: tuple[Shown, ...] = ()
    alone: bool = False
    forward: Forward | None = None
    largest_file: int = 0

    def furnish(self) -> None:
        """Make the folders and files that are the program's own."""
        for name in ("own", "opt", "root", "run", "home", "var/log"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for name in ("tmp", "var/tmp"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
            (self.root / name).chmod(_OPEN_TO_ALL)
        # These lie over those of /etc.
        (self.root / "own" / "hosts").write_text(_HOSTS)
        (self.root / "own" / "hostname").write_text(f"{HOST}\n")
        self._resolver(Path("/etc/resolv.conf").resolve())

    def _resolver(self, path: Path) -> None:
        """Show the resolver's settings where /etc leads to them from, which is often a folder that is not shown."""
        if path.is_file() and not path.is_relative_to("/etc"):
            target = self.root / path.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


@dataclass(frozen=True)
class Boxed:
    """A program that was started in a box: the process that waits for it, and the channel to its network."""

    process: "subprocess.Popen[bytes]"
    channel: socket.socket
    listener: socket.socket | None


def start(box: Box, command: Sequence[str], environment: Mapping[str, str], folder: str, log: int) -> Boxed:
    """Start a program in its box, in a process group of its own; `log` is the file that takes what it prints.

    Raises:
        NamespaceError: the machine does not let it have its namespaces.
        NotExecutedError: the program could not be executed.
    """
    box.furnish()
    ours, theirs = socket.socketpair()
    ours.settimeout(_CHANNEL_SECONDS)
    reading, writing = os.pipe()
    with theirs, os.fdopen(writing, "wb") as report:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={},
            pass_fds=(report.fileno(), theirs.fileno()),
            start_new_session=True,
        )
        plan = {
            **_plan(box),
            "command": list(command),
            "environment": dict(environment),
            "folder": folder,
            "report": report.fileno(),
            "channel": theirs.fileno(),
        }
    try:
        _hand_over(process, plan)
        _raise_reported(reading)
        listener = _received(ours) if box.forward else None
    except BaseException:
        ours.close()
        process.wait()
        raise
    return Boxed(process, ours, listener)


def _plan(box: Box) -> dict[str, Any]:
    return {
        "root": str(box.root),
        "binds": [(str(one.path), one.inside, one.writable) for one in box.shown if one.path.exists()],
        "host": HOST,
        "alone": box.alone,
        "forward": box.forward.inside if box.forward else None,
        "largest_file": box.largest_file,
    }


def _hand_over(process: "subprocess.Popen[bytes]", plan: dict[str, Any]) -> None:
    if process.stdin is not None:  # it is always there: opened with PIPE
        with contextlib.suppress(BrokenPipeError), process.stdin as stream:  # ended already: its report says why
            stream.write(marshal.dumps(plan))


def _raise_reported(reading: int) -> None:
    """Wait until the program is executed, and raise what kept it from that."""
    with os.fdopen(reading, "rb") as stream:
        text = stream.read()
    if not text:
        return
    told = marshal.loads(text)  # noqa: S302  # the launcher's, by the same Python
    if told["namespaces"]:
        raise NamespaceError(told["text"])
    raise NotExecutedError(told["errno"], os.strerror(told["errno"]))


def _received(channel: socket.socket) -> socket.socket:
    """Return the socket that comes over a channel.

    Raises:
        ConnectionError: the program's world is gone.
    """
    _, numbers, _, _ = socket.recv_fds(channel, 1, 1)
    if not numbers:
        raise ConnectionError("the program has ended")
    return socket.socket(fileno=numbers[0])


def fresh_socket(channel: socket.socket) -> socket.socket:
    """Return a new TCP socket of a program's own network.

    Raises:
        ConnectionError: the program has ended.
    """
    channel.sendall(b"?")
    return _received(channel)


def listening(pid: int) -> list[str]:
    """Return the addresses and ports on which somebody listens in the network of a process."""
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                if state == _LISTENING:
                    found.append(_address(local, family))
    return found


def _address(text: str, family: socket.AddressFamily) -> str:
    """Return an address and port as people write them; the kernel writes each four bytes as a number."""
    address, _, port = text.partition(":")
    words = [bytes.fromhex(address[start : start + 8]) for start in range(0, len(address), 8)]
    plain = socket.inet_ntop(family, b"".join(word if sys.byteorder == "big" else word[::-1] for word in words))
    return f"{plain}:{int(port, 16)}"


def interpreter(python: str) -> tuple[Shown, ...]:
    """Return what a program has to see so that this Python runs: its environment and what that was made from."""
    found = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), Path(python).parents[1]}
    return (*seen_at_their_places(found | {path.resolve() for path in found}), Shown(Path(python).parents[1], PYTHON))


def inside(python: str) -> str:
    """Return a Python as a program finds it.

    Its own place is somebody's folder, which may have a blank in its name. No image has one there, and so scripts name
    the Python that they find without quotes, those that the SageMaker SDK sends along among them.
    """
    return f"{PYTHON}/bin/{Path(python).name}"


def seen_at_their_places(paths: Iterable[Path]) -> tuple[Shown, ...]:
    """Return paths as a program sees them where they are; what lies within the system or another one is seen anyhow."""
    chosen: list[Path] = []
    for path in sorted(paths):
        if not any(path.is_relative_to(seen) for seen in (*_SYSTEM, *chosen)):
            chosen.append(path)
    return tuple(Shown(path, str(path)) for path in chosen)


@cache
def refusal() -> str | None:
    """Return why programs cannot have namespaces here, None where they can: found out by trying, once."""
    if sys.platform != "linux":
        return f"{sys.platform} has no namespaces"
    folder = Path(tempfile.mkdtemp(prefix="sagemaker-local-"))
    try:
        with (folder / "log").open("wb") as log:
            box = Box(folder / "root", interpreter(sys.executable), alone=True)
            tried = start(box, [sys.executable, "-I", "-S", "-c", ""], {}, "/", log.fileno())
        tried.channel.close()
        tried.process.wait(_PROBE_SECONDS)
    except (NamespaceError, NotExecutedError) as error:
        return str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None


def allowed() -> bool:
    """Return whether programs get namespaces of their own on this machine."""
    return refusal() is None
