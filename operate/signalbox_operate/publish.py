"""Put a pipeline's job code into the artifacts bucket, and create or update the pipeline that runs it.

Safe to repeat, and to break off anywhere: the code lies under a digest of its own content, so a second upload writes
the same bytes to the same keys, and the pipeline changes only after its code is complete.
"""

import gzip
import hashlib
import io
import json
import secrets
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import ClientError
from projects.abalone.pipeline import definition as abalone

from signalbox import names, projects
from signalbox.projects import Project, ProjectPipeline, ProjectUploads
from signalbox_operate.stack import OperateError, Stack

type Outcome = Literal["created", "updated", "unchanged"]

CODE = {abalone.MODEL: Path(abalone.__file__).parent / "code"}
_DIGEST = 16
_QUIET_SECONDS = 5


def read_code(folder: Path) -> dict[str, bytes]:
    """Return the programs in `folder` by name, without the package's mark.

    Raises:
        OperateError: there are none.
    """
    found = {path.name: path.read_bytes() for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"}
    if not found:
        raise OperateError(f"there is no job code in {folder}")
    return found


def digest(code: Mapping[str, bytes]) -> str:
    """Return a short digest of names and contents."""
    listed = [[name, hashlib.sha256(code[name]).hexdigest()] for name in sorted(code)]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:_DIGEST]


def pack(code: Mapping[str, bytes]) -> bytes:
    """Return the programs as a tar.gz; the same programs give the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(code):
            entry = tarfile.TarInfo(name)  # time, user and group stay zero
            entry.size = len(code[name])
            archive.addfile(entry, io.BytesIO(code[name]))
    return gzip.compress(plain.getvalue(), mtime=0)


def folder(model: str) -> str:
    """Return the key prefix that the programs of a model's pipeline lie under: the same programs, the same prefix."""
    return f"code/{model}/{digest(read_code(CODE[model]))}"


def upload_code(model: str, bucket: str, s3: Any) -> None:
    """Upload the programs of a model's pipeline: one by one for processing, and packed for training."""
    code, place = read_code(CODE[model]), folder(model)
    for name, content in code.items():
        s3.put_object(Bucket=bucket, Key=f"{place}/code/{name}", Body=content, ContentType="text/x-python")
    s3.put_object(Bucket=bucket, Key=f"{place}/sourcedir.tar.gz", Body=pack(code), ContentType="application/gzip")


def settings(
    stack: Stack, model: str, code_uri: str, region: str, *, xgboost_image: str | None, scikit_learn_image: str | None
) -> abalone.AbaloneSettings:
    """Return what the pipeline of `stack` is built from.

    Raises:
        OperateError: an output is missing.
    """
    prefix = stack.output("Prefix")
    return abalone.AbaloneSettings(
        name=names.pipeline(prefix, model, model),
        region=region,
        job_role_arn=stack.output("JobRoleArn"),
        key_arn=stack.output("KeyArn"),
        code_uri=code_uri,
        output_uri=f"s3://{stack.output('ArtifactsBucket')}/pipelines/{model}/runs",
        package_group=names.package_group(prefix, model),
        xgboost_image=xgboost_image,
        scikit_learn_image=scikit_learn_image,
    )


def claim_uploads(prefix: str, model: str, ssm: Any) -> None:
    """Write the document of a project called as its model, whose are the uploads in a folder of that name.

    An earlier document's id is kept.
    """
    parameter = names.project_parameter(prefix, model)
    earlier = {each.project: each.id for each in projects.load_projects(prefix, ssm)}
    document = Project(
        model,
        earlier.get(model) or f"{model}-{secrets.token_hex(6)}",
        (ProjectUploads(f"incoming/{model}/", model, quiet_seconds=_QUIET_SECONDS),),
        {model: ProjectPipeline(names.pipeline(prefix, model, model), (model,))},
    )
    ssm.put_parameter(Name=parameter, Value=projects.to_json(document), Type="String", Overwrite=True)


def put_pipeline(name: str, role_arn: str, definition: Mapping[str, Any], sagemaker: Any) -> Outcome:
    """Create the pipeline, or update it where its definition or role differs."""
    text = json.dumps(definition)
    try:
        found = sagemaker.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFound":
            raise
        # The token makes a repetition of the same creation one creation.
        sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=text,
            RoleArn=role_arn,
            ClientRequestToken=names.token("create-pipeline", name, text),
        )
        return "created"
    if json.loads(found["PipelineDefinition"]) == definition and found["RoleArn"] == role_arn:
        return "unchanged"
    sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=role_arn)
    return "updated"
