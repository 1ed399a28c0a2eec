"""Environments on a volume are made anew by the script that a backup or a restore leaves; none is lost by it."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.environments import SCRIPT, broken, conda, described_as, programs, run, virtualenv, wheels
from tests.support.notebook_cloud import State
from tests.support.notebooks import Instance, described

type Make = Callable[[str], Instance]
CHANNEL = "https://conda.anaconda.org/conda-forge"


def backed_up(one: Instance) -> str:
    """Back an instance up; return its script."""
    done = one.run("backup")
    assert done.returncode == 0, done.stderr
    one.state.tags["backup-snapshot"] = one.state.tags["snapshot-name"]
    subprocess.run(["bash", "-n", str(one.home / SCRIPT)], check=True)
    return (one.home / SCRIPT).read_text()


def starts(place: Path, module: str) -> bool:
    """Whether the Python of an environment imports a module."""
    return subprocess.run([place / "bin" / "python", "-c", f"import {module}"], check=False).returncode == 0


def test_a_virtualenv_that_works_no_more_after_the_move_is_made_anew_with_its_packages_and_its_kernel(
    state: State, instance: Make, tmp_path: Path
) -> None:
    saved, restored, own = instance("saved"), instance("restored"), wheels(tmp_path / "wheels")
    place = virtualenv(saved.home / "my venv")
    for wheel in own.iterdir():
        zipfile.ZipFile(wheel).extractall(next(place.glob("lib/*/site-packages")))
    (place / "notes.txt").write_text("lay in its folder")
    backed_up(saved)

    assert restored.run("restore").returncode == 0
    assert described(restored.home) == described(saved.home)
    assert state.status("restore")["environments"] == 1
    moved = broken(restored.home / "my venv")
    done = run(restored.home, PIP_FIND_LINKS=str(own))

    assert done.returncode == 0, done.stderr
    assert "my venv: is made anew; what was there is my venv.before, which may be deleted\n" in done.stdout
    assert starts(moved, "plain")
    assert sorted(path.name for path in moved.glob("lib/*/site-packages/*.dist-info") if "pip" not in path.name) == [
        "ipykernel-6.29.5.dist-info",
        "plain-1.2.dist-info",
    ]
    assert (restored.home / "my venv.before" / "notes.txt").read_text() == "lay in its folder"
    kernel = "install --user --name my-venv --display-name my-venv\n"
    assert (restored.folder / "kernels").read_text() == kernel
    (restored.folder / ".local/share/jupyter/kernels/my-venv").mkdir(parents=True)
    assert run(restored.home).stdout == "my venv: works\n"
    assert (restored.folder / "kernels").read_text() == kernel
    assert "my venv.before" not in backed_up(restored)


def test_a_virtualenv_whose_scripts_name_a_python_that_is_gone_is_made_anew(instance: Make, tmp_path: Path) -> None:
    saved = instance("saved")
    place = virtualenv(saved.home / "venv")
    (place / "bin" / "pip").write_text("#!/home/of/another/venv/bin/python\n")
    (place / "bin" / "pip").chmod(0o755)
    backed_up(saved)

    done = run(saved.home, programs(tmp_path / "programs", tmp_path / "asked"))

    assert done.returncode == 0, done.stderr
    assert not (place / "bin" / "pip").exists()


def test_packages_of_another_python_than_the_one_that_starts_are_made_anew(instance: Make, tmp_path: Path) -> None:
    saved = instance("saved")
    place = virtualenv(saved.home / "venv")
    (place / "lib").rename(place / "old")
    (place / "old" / f"python3.{sys.version_info.minor}").rename(place / "old" / "python3.2")
    (place / "old").rename(place / "lib")
    config = (place / "pyvenv.cfg").read_text().replace(f"version = 3.{sys.version_info.minor}", "version = 3.2")
    (place / "pyvenv.cfg").write_text(config)
    backed_up(saved)

    done = run(saved.home, programs(tmp_path / "programs", tmp_path / "asked"))

    assert done.returncode == 0, done.stderr
    assert "venv: there is no Python 3.2 here; it is made with Python 3." in done.stdout
    assert starts(place, "sys")


def test_one_that_cannot_be_made_anew_is_put_back_and_named_and_the_others_are_made(
    instance: Make, tmp_path: Path
) -> None:
    saved = instance("saved")
    bad, good = (broken(virtualenv(saved.home / name)) for name in ("bad", "good"))
    described_as(bad, "nowhere", "1.0")
    earlier = saved.home / "good.before"
    earlier.mkdir()
    (earlier / "kept").touch()
    backed_up(saved)
    before = {name: facts for name, facts in described(saved.home).items() if name.startswith("bad/")}

    done = run(saved.home, programs(tmp_path / "programs", tmp_path / "asked"))

    assert done.returncode == 1
    assert done.stdout.endswith("failed: bad\n")
    assert "bad: could not be made anew, and is as it was" in done.stdout
    assert {name: facts for name, facts in described(saved.home).items() if name.startswith("bad/")} == before
    assert starts(good, "sys")
    assert [path.name for path in earlier.iterdir()] == ["kept"]
    assert (saved.home / "good.before-2" / "pyvenv.cfg").exists()
    again = run(saved.home, programs(tmp_path / "again", tmp_path / "asked"))
    assert (again.returncode, "good: works\n" in again.stdout) == (1, True)


def test_an_environment_of_conda_is_made_anew_by_its_records_without_builds_and_by_what_pip_brought(
    instance: Make, tmp_path: Path
) -> None:
    saved, own = instance("saved"), wheels(tmp_path / "wheels")
    file = f"lib/python3.{sys.version_info.minor}/site-packages/owned-3.dist-info/METADATA"
    place = conda(
        saved.home / "envs" / "Deep Learning",
        python={"version": "3.10.8", "channel": f"{CHANNEL}/linux-64"},
        owned={"version": "3", "channel": "https://ana:secret@host/t/token/mine/noarch", "files": [file]},
        ipykernel={"version": "6.29", "channel": f"{CHANNEL}/noarch"},
        local={"version": "0.1", "channel": "file:///tmp/built/linux-64"},
    )
    (place / "conda-meta" / "damaged.json").write_text('{"name": "half')
    (place / "conda-meta" / "strange.json").write_text('{"name": "a b; rm", "version": "1"}')
    described_as(place, "owned", "3")
    described_as(place, "plain", "1.2")
    described_as(place, "variant", "2.0+cu117")
    described_as(place, "mine", "1", {"url": "file:///home/mine", "dir_info": {"editable": True}})
    described_as(place, "theirs", "1", {"url": "https://me:pass@host/x.git", "vcs_info": {"commit_id": "abc"}})
    described_as(place, "torn", "1").joinpath("METADATA").write_text("")
    site = place / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    (site / "older.egg-link").write_text("/home/older\n.")
    (site / "ancient-1.egg-info").touch()
    script = backed_up(saved)
    for line in ("secret", "token", "me:pass", "a b; rm"):
        assert line not in script

    done = run(saved.home, programs(tmp_path / "programs", tmp_path / "asked"))

    assert (tmp_path / "asked").read_text() == (
        f'channels:\n- "{CHANNEL}"\n- "https://host/mine"\ndependencies:\n'
        '- "ipykernel=6.29"\n- "owned=3"\n- "python=3.10.8"\n'
    )
    assert "requirements << 'END'\nplain==1.2\nvariant==2.0\nEND\n" in script
    assert "recreate 'envs/Deep Learning' of_conda '' '' deep-learning\n" in script
    assert done.returncode == 1  # the stand-in's environment has no pip
    name = "by hand: envs/Deep Learning: "
    assert [line.removeprefix(name) for line in done.stdout.splitlines() if line.startswith(name)] == [
        "conda-meta/damaged.json is damaged: its package is in no list",
        "local=0.1: conda had it from file:///tmp/built",
        "conda-meta/strange.json is damaged: its package is in no list",
        "ancient-1.egg-info: was installed by a setup.py",
        "mine 1: an editable install of file:///home/mine",
        "older: an editable install of /home/older",
        "theirs 1: was installed from https://host/x.git at abc",
        "torn-1.dist-info is damaged: its package is in no list",
        "variant: it was the variant cu117 of 2.0",
    ]
    assert own.exists()


def test_environments_in_an_environment_are_each_made_once_and_go_back_into_it(instance: Make, tmp_path: Path) -> None:
    saved = instance("saved")
    base = conda(saved.home / "miniconda3", python={"version": "3.10"})
    inner = conda(base / "envs" / "own", python={"version": "3.10"})
    works = virtualenv(base / "envs" / "works")
    (base / "pkgs").mkdir()
    (saved.home / "linked").symlink_to("miniconda3")
    script = backed_up(saved)

    done = run(saved.home, programs(tmp_path / "programs", tmp_path / "asked"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1] for line in script.splitlines() if line.startswith("recreate ")] == [
        "miniconda3",
        "miniconda3/envs/own",
        "miniconda3/envs/works",
    ]
    assert all(starts(place, "sys") for place in (base, inner, works))
    assert "miniconda3/envs/works: works\n" in done.stdout
    assert sorted(path.name for path in (base / "envs").iterdir()) == ["own", "own.before", "works"]
    assert (saved.home / "miniconda3.before" / "pkgs").exists()
    assert list((saved.home / "miniconda3.before" / "envs").iterdir()) == []
    assert "works\n" in run(saved.home, programs(tmp_path / "again", tmp_path / "asked")).stdout


@pytest.mark.parametrize("moment", ["marked", "moved", "half"])
def test_a_script_that_is_killed_goes_on_when_it_is_run_again_and_deletes_nothing(
    moment: str, instance: Make, tmp_path: Path
) -> None:
    saved = instance("saved")
    place, before = broken(virtualenv(saved.home / "venv")), saved.home / "venv.before"
    (place / "notes").touch()
    backed_up(saved)
    (place / ".recreating").touch()
    if moment != "marked":
        place.rename(before)
    if moment == "half":
        virtualenv(place)
        (place / "half").touch()

    done = run(saved.home, programs(tmp_path / "programs", tmp_path / "asked"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert starts(place, "sys")
    assert not (place / "half").exists()
    assert sorted(path.name for path in before.iterdir() if path.name in {"notes", ".recreating"}) == ["notes"]
    assert (saved.home / "venv.before-2" / "half").exists() == (moment == "half")


def test_environments_of_any_name_are_made_anew_in_their_places(instance: Make, tmp_path: Path) -> None:
    saved = instance("saved")
    names = ("two words", 'it\'s "quoted"', "two\nlines", "-dash *?[a]", "$(touch x)")
    places = [broken(virtualenv(saved.home / name)) for name in names]
    # Python's own venv takes no such name: it is as it was.
    broken(virtualenv(saved.home / "other")).rename(saved.home / os.fsdecode(b"no utf-8 \xff"))
    assert saved.run("backup").returncode == 0
    before = {path.name for path in saved.home.iterdir()}

    done = run(saved.home, programs(tmp_path / "programs", tmp_path / "asked"))

    assert all(starts(place, "sys") for place in places), done.stderr
    assert {path.name for path in saved.home.iterdir()} == before | {f"{name}.before" for name in names}
    assert done.stdout.endswith("failed: no utf-8 \udcff\n")


def test_the_script_is_no_part_of_a_snapshot_and_goes_when_there_is_no_environment_any_more(
    state: State, instance: Make
) -> None:
    saved, restored = instance("saved"), instance("restored")
    conda(saved.home / "env", python={"version": "3.10"})
    (saved.home / f"{SCRIPT}.half").write_text("of a worker that died")
    script = backed_up(saved)
    assert state.status("backup")["files"] == {"total": 2, "done": 2, "left_out": 0}

    restored.run("restore")

    assert (restored.home / SCRIPT).read_text() == script
    assert not (saved.home / f"{SCRIPT}.half").exists()
    (saved.home / "env" / "conda-meta" / "python.json").unlink()
    (saved.home / "env" / "conda-meta").rmdir()
    assert saved.run("backup").returncode == 0
    assert not (saved.home / SCRIPT).exists()
    assert state.status("backup")["environments"] == 0


def test_a_request_whose_worker_died_before_it_left_the_script_leaves_it_at_the_next_start(
    state: State, instance: Make
) -> None:
    saved = instance("saved")
    conda(saved.home / "env", python={"version": "3.10"})
    state.tags["snapshot-request"] = "r1"
    process = saved.start("backup")
    state.at_call = ("/BACKUP_COMPLETE", process.kill, False)
    process.communicate()
    state.at_call = None
    assert not (saved.home / SCRIPT).exists()

    backed_up(saved)

    assert state.status("backup")["environments"] == 1
    backed_up(saved)
    assert state.status("backup")["environments"] == 1


def test_a_script_that_cannot_be_written_is_said_and_nothing_of_it_is_left(state: State, instance: Make) -> None:
    saved = instance("saved")
    conda(saved.home / "env", python={"version": "3.10"})
    (saved.home / SCRIPT).mkdir()

    assert saved.run("backup").returncode == 1

    reason = f"the work is done, and {SCRIPT} could not be written: Is a directory"
    assert state.status("backup")["reason"] == reason
    assert not (saved.home / f"{SCRIPT}.half").exists()
    assert not (saved.home / "BACKUP_COMPLETE").exists()


def test_the_folder_itself_and_what_has_no_program_to_try_are_left_to_a_person(instance: Make, tmp_path: Path) -> None:
    saved = instance("saved")
    virtualenv(saved.home)
    (conda(saved.home / "tools", jq={"version": "1.7"}) / "bin" / "python").unlink()
    backed_up(saved)

    done = run(saved.home, programs(tmp_path / "programs", tmp_path / "asked"))

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "by hand: .: this folder itself is an environment: it is not moved",
        "by hand: tools: it has neither a Python nor an R: look whether it works",
    ]


def test_without_conda_an_environment_of_conda_is_as_it_was_and_the_script_says_so(instance: Make) -> None:
    saved = instance("saved")
    place = conda(saved.home / "env", python={"version": "3.10"})
    backed_up(saved)

    done = run(saved.home)

    assert done.returncode == 1
    assert "env: there is no conda here\n" in done.stdout
    assert sorted(path.name for path in place.iterdir()) == ["bin", "conda-meta"]


def test_what_is_no_plain_file_where_an_environment_has_its_lists_is_not_read(instance: Make, tmp_path: Path) -> None:
    saved = instance("saved")
    place = conda(saved.home / "env", python={"version": "3.10"})
    (tmp_path / "secret").write_text("Name: secret\nVersion: 1\n\n")
    about = described_as(place, "linked", "1")
    (about / "METADATA").unlink()
    (about / "METADATA").symlink_to(tmp_path / "secret")
    os.mkfifo(place / "conda-meta" / "pipe.json")
    outside = described_as(tmp_path / "outside", "elsewhere", "1").parents[2]
    (place / "lib" / "python3.1").symlink_to(outside / f"lib/python3.{sys.version_info.minor}")

    script = backed_up(saved)

    assert "secret" not in script
    assert "elsewhere" not in script
    assert "by_hand env 'conda-meta/pipe.json is damaged: its package is in no list'\n" in script
    assert "by_hand env 'linked-1.dist-info is damaged: its package is in no list'\n" in script
