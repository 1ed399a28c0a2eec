"""Which places a project's automation has to cover: the lists of its template, taken from the statements of its roles.

What is named after the project itself (`code/<project>/`, `pipelines/<project>/`, what runs of its pipelines get) the
template has, so that a further pipeline needs no other automation.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signalbox import names
from signalbox_operate.projects.model import Project
from signalbox_operate.projects.roles import Statement
from signalbox_operate.projects.target import Target

type Places = dict[str, list[str]]
type Statements = Mapping[str, Sequence[Statement]]  # by the name of the role

# Those whose items are patterns, which others may have in them.
PATTERNS = ("DataPrefixes", "Reads", "Writes", "AccessPrefixes")


def of(project: Project, target: Target, statements: Statements) -> Places:
    """Return the parameters of the template that are lists, for the statements of a project's roles."""
    every = [one for role in statements.values() for one in role]
    listed = {pair for one in every for pair in _listed(one, target)}
    data, artifacts = _bucket(target.data_bucket, target), _bucket(target.artifacts_bucket, target)
    own = (*_named_after(project, target, artifacts),)
    elsewhere = {pair for pair in listed if pair[0] not in (data, artifacts)}
    called, groups = f"{target.prefix}-{project.name}", [target.group(model) for model in project.models]
    parameters = [names.project_parameter(target.prefix, project.name)]
    parameters += [names.model_parameter(target.prefix, model) for model in project.models]
    return {
        "DataPrefixes": _whole({prefix for bucket, prefix in listed if bucket == data}),
        "Reads": _whole({place for place in _allowed(every, "s3:GetObject", target) if not place.startswith(own)}),
        "Writes": _whole({place for place in _allowed(every, "s3:PutObject", target) if not place.startswith(own)}),
        "Groups": [_arn("sagemaker", f"model-package-group/{group}", target) for group in (*groups, f"{called}--*")],
        "Versions": [
            _arn("sagemaker", f"model-package/{group}", target)
            for group in (*(f"{one}/*" for one in groups), f"{called}--*")
        ],
        "Documents": [parameter_arn(parameter, target) for parameter in parameters],
        "Uploads": sorted({entry.prefix for entry in project.uploads}),
        "Models": list(project.models),
        "Functions": sorted(set(_allowed(every, "lambda:InvokeFunction", target))),
        "Features": _features(project, target),
        "FeatureTables": _tables(project, target),
        "AccessBuckets": sorted({bucket for bucket, _ in elsewhere}),
        "AccessPrefixes": _whole({prefix for _, prefix in elsewhere}),
    }


def _features(project: Project, target: Target) -> list[str]:
    group = target.feature_group(project)
    return [_arn("sagemaker", f"feature-group/{group}", target)] if group else []


def _tables(project: Project, target: Target) -> list[str]:
    """Return the Glue table that Feature Store makes of the group's records, and what the table is in.

    The table has the time of its creation in its name. No other project's begins so: the two hyphens of a group are
    two underscores.
    """
    group = target.feature_group(project) if project.features and project.features.offline else ""
    table = f"table/sagemaker_featurestore/{group.replace('-', '_').lower()}_*"
    return [_arn("glue", one, target) for one in ("catalog", "database/sagemaker_featurestore", table) if group]


def networked(statements: Statements) -> bool:
    """Tell whether jobs make the interfaces of a network of their own."""
    return any("ec2:CreateNetworkInterface" in _texts(one["Action"]) for role in statements.values() for one in role)


def parameter_arn(parameter: str, target: Target) -> str:
    """Return the ARN of a parameter."""
    return _arn("ssm", f"parameter{parameter}", target)


def objects_arn(place: str, target: Target) -> str:
    """Return the ARN of all objects under an S3 URI."""
    return f"{_bucket(place.removeprefix('s3://'), target)}*"


def _named_after(project: Project, target: Target, artifacts: str) -> Iterator[str]:
    called = f"{target.prefix}-{project.name}"
    for kind in ("manifests", "inputs"):
        yield from (f"{artifacts}/{kind}/{called}/", f"{artifacts}/{kind}/{called}--")
    yield from (f"{artifacts}/{kind}/{project.name}/" for kind in ("code", "pipelines"))


def _listed(statement: Statement, target: Target) -> Iterator[tuple[str, str]]:
    """Yield each bucket that a statement lists, with each prefix; where all of it is listed, it is the stack's own."""
    if "s3:ListBucket" in _texts(statement["Action"]):
        for bucket in _filled(statement["Resource"], target):
            yield from (
                (bucket, prefix) for prefix in statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", ())
            )


def _allowed(statements: Sequence[Statement], action: str, target: Target) -> Iterator[str]:
    for statement in statements:
        if action in _texts(statement["Action"]):
            yield from _filled(statement["Resource"], target)


def _whole(patterns: set[str]) -> list[str]:
    """Return patterns that end with `*` without those that another one has in it."""
    return sorted(one for one in patterns if not any(other != one and one.startswith(other[:-1]) for other in patterns))


def _filled(resources: Any, target: Target) -> list[str]:
    partition = target.key_arn.split(":")[1]
    return [
        str(one["Fn::Sub"] if isinstance(one, dict) else one).replace("${AWS::Partition}", partition)
        for one in (resources if isinstance(resources, list) else [resources])
    ]


def _texts(actions: Any) -> list[str]:
    return actions if isinstance(actions, list) else [actions]


def _bucket(name: str, target: Target) -> str:
    return f"arn:{target.key_arn.split(':')[1]}:s3:::{name}"


def _arn(service: str, resource: str, target: Target) -> str:
    _, partition, _, region, account, _ = target.key_arn.split(":", 5)
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"
