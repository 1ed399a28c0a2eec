"""Buildspecs are read as their reference says; what is wrong or not here is told by its name."""

import pytest

from sagemaker_local.codebuild import buildspec
from sagemaker_local.codebuild.errors import PhaseError

_BEGIN = "version: 0.2\nphases: {build: {commands: [ls]}}\n"


def test_a_whole_buildspec_is_read() -> None:
    spec = buildspec.read(
        """
version: 0.2
env:
  shell: bash
  variables: {A: 1, FLAG: true}
  parameter-store: {P: /p}
  secrets-manager: {S: "s:key"}
  exported-variables: [A]
  git-credential-helper: yes
phases:
  install:
    runtime-versions: {python: 3.13}
    commands: [a]
  build:
    on-failure: CONTINUE
    commands:
      - |
        b
        c
    finally: [d]
artifacts:
  files: ['**/*']
  name: n
  base-directory: out
  discard-paths: yes
  secondary-artifacts:
    other: {files: x}
cache: {paths: [/root/.cache/**/*]}
"""
    )

    assert spec.variables == {"A": "1", "FLAG": "true"}
    assert (spec.parameters, spec.secrets, spec.exported) == ({"P": "/p"}, {"S": "s:key"}, ("A",))
    assert spec.git_credentials
    assert spec.shell == "bash"
    assert spec.phases["build"] == buildspec.Phase(("b\nc\n",), ("d",), "CONTINUE")
    assert spec.artifacts == buildspec.Files(("**/*",), "n", "out", discard_paths=True)
    assert spec.secondary == {"other": buildspec.Files(("x",))}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "while parsing"),
        ("- a", "the buildspec has to be a map"),
        ("version: 0.1\nphases: {}", "version 0.1 is not emulated here"),
        ("version: 3\nphases: {}", "version 3 is not supported"),
        ("phases: {}", "version None is not supported"),
        ("version: 0.2", "has no phases"),
        (_BEGIN + "reports: {}", "reports is not emulated here"),
        (_BEGIN + "nonsense: {}", "unknown key nonsense"),
        (_BEGIN + "env: {shell: pwsh}", "env/shell pwsh is not emulated here"),
        (_BEGIN + "env: {variables: [1]}", "env/variables has to be a map"),
        (_BEGIN + "artifacts: {files: x, s3-prefix: y}", "artifacts/s3-prefix is not emulated here"),
        ("version: 0.2\nphases: {deploy: {commands: [ls]}}", "unknown key phases/deploy"),
        ("version: 0.2\nphases: {build: {run-as: me}}", "phases/build/run-as is not emulated here"),
        ("version: 0.2\nphases: {build: {commands: [a: b]}}", "Expected phases/build/commands[0] to be of string type"),
        ("version: 0.2\nphases: {build: {on-failure: RETRY}}", "on-failure RETRY is not emulated here"),
        (
            "version: 0.2\nphases: {install: {runtime-versions: {python: 3.9}}}",
            "Unknown runtime version named '3.9' of python. This build image has the following versions: 3.13",
        ),
        ("version: 0.2\nphases: {install: {runtime-versions: {nodejs: 20}}}", "Unknown runtime named 'nodejs'"),
    ],
)
def test_what_cannot_be_used_is_a_yaml_file_error_that_names_it(text: str, told: str) -> None:
    with pytest.raises(PhaseError) as refused:
        buildspec.read(text)

    assert refused.value.code == "YAML_FILE_ERROR"
    assert told in refused.value.message
