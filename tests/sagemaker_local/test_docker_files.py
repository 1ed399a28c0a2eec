"""Dockerfiles are built as they say; what needs a container is refused by its name."""

import json
from pathlib import Path

import pytest

from sagemaker_local.docker.build import ImageBuild
from sagemaker_local.docker.context import Context
from sagemaker_local.docker.errors import DockerError
from sagemaker_local.docker.store import LocalImage, Store


class Docker:
    """A docker with a context of a test."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "store")
        self.context = folder / "context"
        self.context.mkdir()
        self.said: list[str] = []

    def put(self, path: str, text: str = "text\n") -> Path:
        """Put a file into the context."""
        target = self.context / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def build(self, *lines: str, base: str = "FROM python:3.13-slim", **arguments: str) -> LocalImage:
        """Build an image."""
        context = Context.of(self.context)
        build = ImageBuild(self.store, context, arguments, self.store.find, self.said.append)
        return build.build("\n".join([base, *lines]))

    def files(self, image: LocalImage) -> set[str]:
        """Return the files of an image."""
        return {str(path.relative_to(image.root)) for path in image.root.rglob("*") if path.is_file()}


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    """Return a docker."""
    return Docker(tmp_path)


def test_files_are_copied_to_where_docker_copies_them_without_what_is_ignored(docker: Docker) -> None:
    for path in ("a.py", "code/b.py", "code/deep/c.py", "code/secret.txt", "code/keep.txt", "d.cfg"):
        docker.put(path)
    docker.put(".dockerignore", "# no texts\n**/*.txt\n!code/keep.txt\n")

    image = docker.build(
        "WORKDIR /opt/program", "COPY a.py .", "COPY code lib/", "COPY *.py d.cfg etc/", "ADD a.py x.py"
    )

    assert docker.files(image) == {
        *(
            f"opt/program/{path}"
            for path in ("a.py", "lib/b.py", "lib/deep/c.py", "lib/keep.txt", "etc/a.py", "etc/d.cfg")
        ),
        "opt/program/x.py",
    }


def test_what_a_later_pattern_takes_back_is_copied_though_its_folder_is_left_out(docker: Docker) -> None:
    docker.put(".dockerignore", "*\n!code/*.py\n")
    for path in ("code/a.py", "code/b.txt", "other/c.py"):
        docker.put(path)

    assert docker.files(docker.build("COPY code /app")) == {"app/a.py"}
    with pytest.raises(DockerError, match="not found"):
        docker.build("COPY other /app")


def test_variables_labels_ports_and_commands_become_the_configuration(docker: Docker) -> None:
    image = docker.build(
        "ARG VERSION=1",
        "ARG OTHER=here",
        'ENV A=1 B="two words" PATH="/opt/program:${PATH}"',
        "ENV C ${VERSION}-${NONE:-else}-$OTHER",
        "LABEL a.b=c",
        "EXPOSE 8080 9090/udp",
        "WORKDIR /opt",
        "WORKDIR program",
        "USER nobody",
        'ENTRYPOINT ["python", "-m", "it"]',
        "CMD serve \\",
        "  # a comment between the lines of one instruction",
        "  now",
        VERSION="2",
    )

    settings = image.configuration["config"]
    variables = dict(line.split("=", 1) for line in settings["Env"])
    assert {name: variables[name] for name in "ABC"} == {"A": "1", "B": "two words", "C": "2-else-here"}
    assert variables["PATH"].startswith("/opt/program:/usr/local/bin:")
    assert settings["Labels"] == {"a.b": "c"}
    assert settings["ExposedPorts"] == {"8080/tcp": {}, "9090/udp": {}}
    assert (settings["WorkingDir"], settings["User"]) == ("/opt/program", "nobody")
    assert settings["Entrypoint"] == ["python", "-m", "it"]
    assert settings["Cmd"] == ["/bin/sh", "-c", "serve now"]


def test_run_installs_by_requirements_sets_rights_and_leaves_the_system_alone(docker: Docker) -> None:
    docker.put("requirements.txt", "numpy==1.0\n")
    docker.put("train")

    image = docker.build(
        "WORKDIR /opt/program",
        "COPY . .",
        "RUN apt-get update && apt-get install -y nginx && rm -rf /var/lib/apt/lists/*",
        "RUN pip install --no-cache-dir -r requirements.txt 'pandas>=2' && chmod +x train && mkdir -p data/deep",
        'RUN ["python3", "-m", "pip", "install", "flask"]',
    )

    assert image.configuration["sagemaker_local"]["requirements"].split() == ["numpy==1.0", "pandas>=2", "flask"]
    assert (image.root / "opt/program/train").stat().st_mode & 0o111
    assert (image.root / "opt/program/data/deep").is_dir()
    assert [line for line in docker.said if line.startswith("skipped: apt-get install -y nginx")]


def test_the_same_content_is_the_same_image_and_another_is_another(docker: Docker) -> None:
    docker.put("a")
    first, second = docker.build("COPY a /app/"), docker.build("COPY a /app/")
    docker.put("a", "otherwise")

    assert first.id == second.id
    assert first.manifest() == second.manifest()
    assert docker.build("COPY a /app/").id != first.id
    assert json.loads(first.manifest())["config"]["digest"] == first.id


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("RUN make install", "RUN make install is not emulated here"),
        ("RUN pip install x; ls", "; is not emulated here"),
        ("RUN pip install ./here", "pip install ./here is not emulated here"),
        ("RUN pip install --index-url http://x y", "pip install --index-url is not emulated here"),
        ("RUN pip install -r none.txt", "Could not open requirements file"),
        ("RUN --mount=type=secret,id=a pip install x", "RUN --mount is not emulated here"),
        ("COPY --from=builder /a /b", "COPY --from is not emulated here"),
        ("COPY none /opt/", '"/none": not found'),
        ("COPY ../out /opt/", "forbidden path outside the build context"),
        ("COPY a /usr/local/bin/", "/usr/local/bin is not emulated here"),
        ("COPY a /opt/ml/code/", "/opt/ml/code is not emulated here"),
        ("COPY link /opt/", "a link that leads out"),
        ("ADD https://example.com/x /opt/", "ADD https://example.com/x is not emulated here"),
        ("ADD x.tar.gz /opt/", "ADD x.tar.gz is not emulated here"),
        ("VOLUME /data", "VOLUME is not emulated here"),
        ("FROM python:3.13", "a second stage is not emulated here"),
        ("NONSENSE", "unknown instruction: NONSENSE"),
        ("RUN <<EOF", "a here-document is not emulated here"),
    ],
)
def test_what_is_not_emulated_is_refused_by_its_name(docker: Docker, line: str, told: str) -> None:
    docker.put("a")
    (docker.context / "link").symlink_to("/etc/passwd")

    with pytest.raises(DockerError) as refused:
        docker.build(line)

    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("base", "here"),
    [
        ("FROM python:3.13-slim-trixie AS base", True),
        ("FROM public.ecr.aws/docker/library/python:3.11-slim", True),
        ("ARG BASE=python:3.12\nFROM ${BASE}", True),
        ("FROM scratch", True),
        ("FROM python:3.13-alpine", False),
        ("FROM ubuntu:24.04", False),
        ("RUN pip install x", False),
    ],
)
def test_images_begin_with_pythons_own_image_or_one_that_is_here(docker: Docker, base: str, here: bool) -> None:
    if here:
        assert docker.build(base=base).configuration["os"] == "linux"
        return
    with pytest.raises(DockerError):
        docker.build(base=base)
