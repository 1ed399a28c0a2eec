"""Start one program in Linux namespaces of its own: `python -I -S launcher.py`, with a plan on standard input.

The plan is what `namespaces.Box` says. Three processes come of it: this one, which waits; the first process of the
program's own process namespace, which makes the tree that the program sees and ends with it; and the program. When the
first process ends, the kernel kills everything else in its namespace, whatever has forked or made a session of its own.

A channel, a socket of which the cloud holds the other end, does two things: when it closes, everything is killed; each
byte that arrives on it is answered with a new socket of this network namespace, by which the cloud reaches the program.
Nothing but the standard library is imported, and little of it, because this is part of every job's start: marshal
instead of json, os.path instead of pathlib, no typing.
"""
# ruff: noqa: PTH103, PTH110, PTH112, PTH114, PTH115, PTH120, PTH123, PTH208, PTH211 (pathlib is slow to import)

from __future__ import annotations

import ctypes
import fcntl
import marshal
import os
import resource
import select
import signal
import socket
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_NOSUID, _NODEV, _NOEXEC = 2, 4, 8
_BIND, _REC, _PRIVATE = 4096, 16384, 1 << 18
_DETACH = 2  # umount2
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _ATTR_RDONLY, _ATTR_NOSUID = 442, -100, 0x8000, 1, 2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP = 1, 24
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1
_LAST_CAPABILITY = 40
# What Docker leaves a container: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service,
# net_raw, sys_chroot, mknod, audit_write, setfcap.
_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31})
# What of this machine's own tree a program sees, to read; `opt` entry by entry, beside what is its own there.
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "nix", "gnu", "sys", "etc")
_SECRET_FILES, _SECRET_FOLDERS = ("shadow", "gshadow", "sudoers"), ("sudoers.d", "ssh")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_GRAPHICS = ("nvidia", "dri", "kfd")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
_FIRST_TO_GO = 500  # of all that have much memory, when the machine has no more: the cloud has 0
_NOT_FOUND, _NOT_STARTED = 127, 126
_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    words = [text.encode() or None for text in (source, target, kind)]
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), data.encode() or None), target)


def _read_only(target: str) -> None:
    attributes = struct.pack("QQQQ", _ATTR_RDONLY | _ATTR_NOSUID, 0, 0, 0)
    call = (_MOUNT_SETATTR, _AT_FDCWD, target.encode(), _AT_RECURSIVE, attributes, len(attributes))
    _checked(_libc.syscall(*call), target)


def _bind(source: str, target: str, *, writable: bool = False) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "ab"):
            pass
    _mount(source, target, flags=_BIND | _REC)
    if not writable:
        _read_only(target)


def _show(path: str, target: str) -> None:
    """Show a path of this machine to read; links stay links, and what is there already stays."""
    if os.path.lexists(target):
        return
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
    elif os.path.exists(path):
        _bind(path, target)


def _tree(root: str, binds: list[Any]) -> None:
    """Make the tree that the program sees under `root`, and make `root` the root."""
    _mount("none", "/", flags=_REC | _PRIVATE)
    _mount(root, root, flags=_BIND | _REC)
    for name in _SYSTEM:
        _show(f"/{name}", f"{root}/{name}")
    for name in os.listdir("/opt") if os.path.isdir("/opt") else ():
        _show(f"/opt/{name}", f"{root}/opt/{name}")
    _settings(f"{root}/etc", f"{root}/own")
    _devices(f"{root}/dev")
    os.makedirs(f"{root}/proc", exist_ok=True)
    _mount("proc", f"{root}/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    for source, target, writable in binds:
        _bind(source, root + target, writable=writable)
    os.chdir(root)
    _checked(_libc.pivot_root(b".", b"."), root)  # the old root now lies over the new one
    _checked(_libc.umount2(b".", _DETACH), "/")
    os.chdir("/")


def _settings(folder: str, own: str) -> None:
    """Put files of the program's own, and nothing, over those of this machine that are not for it."""
    for name in os.listdir(own):
        if os.path.exists(f"{folder}/{name}"):
            _mount(f"{own}/{name}", f"{folder}/{name}", flags=_BIND)
    for name in _SECRET_FILES:
        if os.path.exists(f"{folder}/{name}"):
            _mount(os.devnull, f"{folder}/{name}", flags=_BIND)
    for name in _SECRET_FOLDERS:
        if os.path.exists(f"{folder}/{name}"):
            _mount("tmpfs", f"{folder}/{name}", "tmpfs", _NOSUID | _NODEV)


def _devices(folder: str) -> None:
    for name in ("shm", "pts"):
        os.makedirs(f"{folder}/{name}", exist_ok=True)
    _mount("tmpfs", f"{folder}/shm", "tmpfs", _NOSUID | _NODEV)
    _mount("devpts", f"{folder}/pts", "devpts", _NOSUID | _NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    for name in os.listdir("/dev"):
        if name not in _DEVICES and not name.startswith(_GRAPHICS):
            continue
        _bind(f"/dev/{name}", f"{folder}/{name}", writable=True)
    for name, target in _LINKS.items():
        os.symlink(target, f"{folder}/{name}")


def _unshare(*, alone: bool) -> None:
    """Leave this machine's namespaces; be root in a user namespace of the ids that this process may use."""
    user, group = os.getuid(), os.getgid()
    flags = os.CLONE_NEWUSER | os.CLONE_NEWNS | os.CLONE_NEWUTS | os.CLONE_NEWPID | os.CLONE_NEWIPC
    flags |= os.CLONE_NEWNET if alone else 0
    if user == 0:
        _with_all_ids(flags)
        return
    os.unshare(flags)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        _write(f"/proc/self/{name}", text)


def _with_all_ids(flags: int) -> None:
    """Unshare as root: each id stays itself. The map has to be written by a process that stayed outside."""
    maps = {}
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/self/{name}") as lines:
            maps[name] = "\n".join(f"{first} {first} {count}" for first, _, count in map(str.split, lines))
    reading, writing = os.pipe()
    me, helper = os.getpid(), os.fork()
    if helper == 0:
        os.close(writing)
        os.read(reading, 1)
        for name, text in maps.items():
            _write(f"/proc/{me}/{name}", text)
        os._exit(0)
    os.unshare(flags)
    os.close(writing)
    os.close(reading)
    _, status = os.waitpid(helper, 0)
    if status:
        raise PermissionError(1, "the ids of the user namespace could not be set")


def _write(path: str, text: str) -> None:
    with open(path, "w") as stream:
        stream.write(text)


def _network(forward: int | None) -> socket.socket | None:
    """Bring the loopback device up; listen there where the cloud listens outside, if it is to be reached."""
    with socket.socket() as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))
    return socket.create_server(("127.0.0.1", forward), backlog=128) if forward else None


def _first(plan: dict[str, Any], report: int) -> NoReturn:
    """Be the first process of the namespace: make the tree, start the program, collect what ends, end with it."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        _tree(plan["root"], plan["binds"])
        socket.sethostname(plan["host"])
        program = os.fork()
    except OSError as error:
        _tell(report, error, namespaces=True)
    if program == 0:
        _become(plan, report)
    os.close(report)
    os.closerange(0, 3)  # whoever reads what the program prints sees its end
    while True:
        pid, status = os.wait()
        if pid == program:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _become(plan: dict[str, Any], report: int) -> NoReturn:
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        for capability in set(range(_LAST_CAPABILITY + 1)) - _CAPABILITIES:
            _libc.prctl(_PR_CAPBSET_DROP, capability)
        if plan["largest_file"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (plan["largest_file"], plan["largest_file"]))
        _go_first()
        os.chdir(plan["folder"])
        os.execvpe(plan["command"][0], plan["command"], plan["environment"])  # noqa: S606  # no shell is wanted
    except OSError as error:
        _tell(report, error)


def _go_first() -> None:
    """Have the kernel end this process rather than the cloud when memory is short."""
    with open("/proc/self/oom_score_adj") as stream:
        so_far = int(stream.read())
    if so_far < _FIRST_TO_GO:  # nobody may lower it again
        _write("/proc/self/oom_score_adj", str(_FIRST_TO_GO))


def _tell(report: int, error: OSError, *, namespaces: bool = False) -> NoReturn:
    os.write(report, marshal.dumps({"errno": error.errno, "text": str(error), "namespaces": namespaces}))
    os._exit(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_STARTED)


def _attend(channel: socket.socket, alive: int, first: int) -> None:
    """Hand out sockets until the first process has ended; kill it when the cloud is gone or wants it."""
    while True:
        ready, _, _ = select.select([channel.fileno(), alive], [], [])
        if alive in ready:
            return
        asked = channel.recv(1)
        if not asked:
            os.kill(first, signal.SIGKILL)
            return
        with socket.socket() as fresh:
            socket.send_fds(channel, [b"."], [fresh.fileno()])


def main() -> int:
    """Do what the plan says; return the program's exit code."""
    plan = marshal.load(sys.stdin.buffer)  # noqa: S302  # the cloud's own, by the same Python
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    report = plan["report"]
    channel = socket.socket(fileno=plan["channel"])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are for the program, which is of the same group
    os.set_inheritable(report, False)
    os.set_inheritable(channel.fileno(), False)
    try:
        _unshare(alone=plan["alone"])
        listener = _network(plan["forward"]) if plan["alone"] else None
    except OSError as error:
        _tell(report, error, namespaces=True)
    if listener is not None:
        socket.send_fds(channel, [b"."], [listener.fileno()])
        listener.close()
    alive, held = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(alive)
        channel.close()
        _first(plan, report)
    os.close(held)
    os.close(report)
    os.closerange(0, 3)
    _attend(channel, alive, first)
    return os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])


if __name__ == "__main__":
    code = main()
    os._exit(code if code >= 0 else 128 - code)
