"""Programs of jobs: their end, their stop, their time limit, and that nothing of them is left."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.sagemaker_local.support.jobs import until
from tests.sagemaker_local.support.programs import PACKAGE

from sagemaker_local.runtime.process import End, ProgramStartError, Result, run

ENVIRONMENT = {"PATH": os.defpath}


def python(
    folder: Path, text: str, *, stop: threading.Event | None = None, limit: float = 20, grace: float = 5, **more: object
) -> Result:
    return run(
        [sys.executable, "-u", "-c", text],
        environment=ENVIRONMENT,
        folder=folder,
        log=folder / "log",
        stop=stop or threading.Event(),
        limit=limit,
        grace=grace,
        **more,  # type: ignore[arg-type]  # only on_line is passed this way
    )


def gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    # A killed grandchild may stay as a zombie until init collects it: it runs no more.
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_program_that_ends_by_itself_gives_its_exit_code_and_both_of_its_outputs(tmp_path: Path) -> None:
    result = python(tmp_path, "import sys; print('out'); sys.stderr.write('err\\n'); sys.exit(3)")

    assert (result.end, result.exit_code) == (End.EXITED, 3)
    assert result.tail() == "out\nerr"


def test_a_program_that_dies_by_a_signal_has_the_exit_code_of_a_container(tmp_path: Path) -> None:
    assert python(tmp_path, "import os; os.kill(os.getpid(), 9)").exit_code == 128 + 9


def test_every_line_reaches_the_callback_once_the_unfinished_last_one_too(tmp_path: Path) -> None:
    lines: list[str] = []

    python(tmp_path, "print('one'); print('two', end='')", on_line=lines.append)

    assert lines == ["one", "two"]


def test_a_stop_sends_sigterm_and_the_program_may_finish_its_work(tmp_path: Path) -> None:
    stop = threading.Event()
    text = (
        "import signal,sys,time; signal.signal(15, lambda *_: (print('saved'), sys.exit(0))); "
        "print('up'); time.sleep(60)"
    )

    result = python(tmp_path, text, stop=stop, on_line=lambda _: stop.set())

    assert (result.end, result.exit_code) == (End.STOPPED, 0)
    assert result.tail() == "up\nsaved"


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    stop = threading.Event()
    text = "import signal,time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"

    result = python(tmp_path, text, stop=stop, grace=0.1, on_line=lambda _: stop.set())

    assert (result.end, result.exit_code) == (End.STOPPED, 128 + 9)


def test_a_program_over_its_time_limit_is_ended(tmp_path: Path) -> None:
    result = python(tmp_path, "import time; time.sleep(60)", limit=0.1)

    assert (result.end, result.exit_code) == (End.TIMED_OUT, 128 + 15)


def test_what_a_program_leaves_running_is_killed_with_it(tmp_path: Path) -> None:
    text = "import subprocess,sys; print(subprocess.Popen([sys.executable,'-c','import time; time.sleep(60)']).pid)"

    result = python(tmp_path, text)

    until(lambda: gone(int(result.tail())))


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramStartError, match="'no-such-program'"):
        run(["no-such-program"], environment=ENVIRONMENT, folder=tmp_path, log=tmp_path / "log", stop=threading.Event())


def test_when_the_cloud_itself_is_killed_its_programs_and_their_children_die(tmp_path: Path) -> None:
    child = "import subprocess,sys,os; p = subprocess.Popen(['sleep','60']); print(os.getpid(), p.pid); p.wait()"
    cloud = (
        "import sys, threading; from pathlib import Path; from sagemaker_local.runtime.process import run; "
        f"run([sys.executable, '-u', '-c', {child!r}], environment={ENVIRONMENT!r}, folder=Path('.'), "
        "log=Path('log'), stop=threading.Event())"
    )
    local = PACKAGE.parent
    environment = {**ENVIRONMENT, "PYTHONPATH": str(local)}
    process = subprocess.Popen([sys.executable, "-c", cloud], cwd=tmp_path, env=environment)
    log = tmp_path / "log"
    until(lambda: log.is_file() and log.read_text().endswith("\n"))
    pids = [int(text) for text in log.read_text().split()]

    process.send_signal(signal.SIGKILL)
    process.wait()

    until(lambda: all(gone(pid) for pid in pids))


_KILL = "killed = guard._state['guard'].process; killed.kill(); killed.wait()"


@pytest.mark.parametrize(
    "replaced",
    [
        f"{_KILL}; second = start()",
        # The cloud is killed as soon as there is another guard; the lock keeps the thread out that would start one.
        f"guard._lock.acquire(); {_KILL}; guard._start(); second = first",
    ],
)
def test_a_guard_that_was_killed_is_replaced_by_one_that_knows_what_runs(tmp_path: Path, replaced: str) -> None:
    cloud = (
        "import os, sys, threading, time; from pathlib import Path; "
        "from sagemaker_local.runtime import guard, process; "
        "where = {'folder': Path('.'), 'log': Path('p')}; "
        f"start = lambda: process.Program(['sleep', '60'], environment={ENVIRONMENT!r}, **where); "
        f"first = start(); {replaced}; "
        "print(first.group, second.group, flush=True); os.kill(os.getpid(), 9)"
    )
    environment = {**ENVIRONMENT, "PYTHONPATH": str(PACKAGE.parent)}

    done = subprocess.run(
        [sys.executable, "-c", cloud], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, check=False
    )

    pids = [int(text) for text in done.stdout.split()]
    assert len(pids) == 2
    until(lambda: all(gone(pid) for pid in pids))
