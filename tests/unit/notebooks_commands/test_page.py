"""The page of notebook instances says what the code, the template and the tests are."""

import re

from tests.gates.cfn_yaml import parse
from tests.support.documents import ROOT, commands, read, table
from typer.testing import CliRunner

from signalbox_operate import cli
from signalbox_operate.notebooks import planning, platforms
from signalbox_snapshot import earlier

PAGE = read("docs/notebooks.md")


def test_the_platforms_and_kernels_are_those_of_the_code() -> None:
    rows = table(PAGE, "platform", "system", "AWS makes and starts none since")
    assert [row[0] for row in rows] == [one.name for one in platforms.PLATFORMS]
    assert [row[1] for row in rows] == [one.system for one in platforms.PLATFORMS]
    assert [row[2] for row in rows] == [str(one.refused_since or "-") for one in platforms.PLATFORMS]

    kernels = [(one.name, one.last, one.successor) for one in platforms.KERNELS]
    assert [tuple(row) for row in table(PAGE, "gone", "last on", "instead")] == kernels


def test_every_defect_of_the_sample_has_a_test_that_exists() -> None:
    rows = table(PAGE, "defect", "what the sample does", "test")
    assert [row[0] for row in rows] == [f"C-D{number}" for number in range(1, 16)]

    places = [ROOT / "tests/unit/notebooks", ROOT / "tests/unit/notebooks_commands", ROOT / "tests/gates"]
    texts = "".join(path.read_text(encoding="utf-8") for place in places for path in place.glob("test_*.py"))
    assert {row[2] for row in rows if f"def {row[2]}(" not in texts} == set()


def test_the_commands_of_the_page_are_commands_with_their_options() -> None:
    asked = [command.split()[1:] for command in commands(PAGE, "sh")]

    assert len(asked) == 9
    for words in asked:
        options = [word for word in words[2:] if word.startswith("--")]
        told = CliRunner().invoke(cli.app, [*words[:2], "--help"], env={"COLUMNS": "200"})
        assert told.exit_code == 0, words
        assert all(option in told.output for option in options)


def test_the_numbers_and_parameters_of_the_page_are_those_of_the_code_and_the_template() -> None:
    text = " ".join(PAGE.split())
    parameters = parse(read("notebooks/template.yaml"))["Parameters"]

    assert f"`ExpireDays`, {parameters['ExpireDays']['Default']} by default" in text
    assert f"for up to {earlier.FRESH_DAYS} days" in text
    assert f"can be restored for {earlier.FRESH_DAYS} days less" in text
    assert parameters["ExpireDays"]["MinValue"] > earlier.FRESH_DAYS
    assert f"{planning.BYTES_A_SECOND // 10**6} MB a second" in text
    assert f"${planning.DOLLARS} a GB" in text
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", PAGE)) - {"PolicyArn"}
    assert named <= set(parameters)
