"""No partition is written out in code, and one that is planted is seen."""

from pathlib import Path

import pytest
from tests.gates.checks import partitions


def test_no_partition_is_written_out_in_code() -> None:
    assert partitions.check() == []


@pytest.mark.parametrize(
    "line",
    [
        'role = "arn:aws:iam::aws:policy/ReadOnlyAccess"',
        'role = f"arn:aws-cn:iam::{account}:role/x"',
        'image = f"{account}.dkr.ecr.{region}.amazonaws.com/{name}"',
    ],
)
@pytest.mark.parametrize("folder", partitions.FOLDERS)
def test_a_planted_partition_is_seen(tmp_path: Path, folder: str, line: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "app.py").write_text(f"account = region = name = ''\n{line}\n", encoding="utf-8")

    (problem,) = partitions.check(tmp_path)

    assert problem.where == f"{folder}/app.py:2"
    assert "of one partition" in problem.what


def test_a_docstring_may_give_an_example(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "app.py").write_text('"""As in arn:aws:s3:::bucket."""\n', encoding="utf-8")

    assert partitions.check(tmp_path) == []
