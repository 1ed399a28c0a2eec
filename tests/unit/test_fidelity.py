"""What `make fidelity` says of a case, by how its program ended and what it printed."""

import sys
from pathlib import Path

import pytest
from tests.fidelity import __main__ as fidelity


@pytest.mark.parametrize(
    ("status", "output", "outcome"),
    [
        (0, "anything\n", ("worked", "")),
        (
            1,
            "trace\nClientError: DataCaptureConfig is not emulated here.\nmore\n",
            ("refused by name", "ClientError: DataCaptureConfig is not emulated here."),
        ),
        (1, "trace\nAssertionError: 41.0\n\n", ("differs", "AssertionError: 41.0")),
        (-9, "", ("differs", "exit status -9")),
    ],
)
def test_a_case_is_told_by_its_status_and_its_words(status: int, output: str, outcome: tuple[str, str]) -> None:
    assert fidelity.outcome_of(status, output) == outcome


def test_a_case_without_what_it_needs_is_named_as_not_run(tmp_path: Path) -> None:
    case = fidelity.Case("sdk2_x", "a case", needs="no-such-program")

    assert fidelity.run(case, Path(sys.executable), {}, tmp_path) == (
        "not run here",
        "no-such-program is not installed",
    )


def test_every_case_has_a_program_and_a_locked_environment() -> None:
    folder = Path(fidelity.__file__).parent
    for case in fidelity.CASES:
        assert (folder / "cases" / f"{case.program}.py").is_file()
        assert (folder / case.environment / "uv.lock").is_file()
    assert {case.program for case in fidelity.CASES} == {path.stem for path in folder.glob("cases/sdk*.py")}
