"""The versions of a model in the registry: metrics, who decided about them, where they serve; and two compared."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names, words
from signalbox.aws.endpoints import Endpoints
from signalbox.aws.errors import CallRefusedError, code_of
from signalbox.aws.model import ModelPackage
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.aws.table import Table
from signalbox.reviews.adapters import DynamoReviews
from signalbox_operate.stack import OperateError, Stack

_DECIDED = frozenset({"approved", "rejected", "overturned", "expired"})


@dataclass(frozen=True)
class Version:
    """A version of a model; `metrics` are those of its evaluation report, none where it has none that can be read.

    `primary` names the metric that it is judged by, `stages` are where it serves now, `commit` is what it was made of,
    "" where it does not say.
    """

    package: str
    model: str
    status: str
    created: datetime
    primary: str
    metrics: Mapping[str, float]
    decided_by: str
    reason: str
    stages: Sequence[str]
    commit: str


@dataclass(frozen=True)
class Difference:
    """One fact about two packages; "" where it is not known of one."""

    fact: str
    first: str
    second: str


class Registry:
    """The models of a stack, with whatever else is known of them."""

    def __init__(self, stack: Stack, client: Callable[[str], Any]) -> None:
        self._prefix = stack.output("Prefix")
        self._sagemaker = client("sagemaker")
        self._packages = ModelRegistry(self._sagemaker)
        self._reviews = DynamoReviews(Table(stack.output("ReviewsTable"), client("dynamodb")))
        self._objects = ObjectStore(client("s3"))
        _, partition, _, region, account, *_ = stack.output("MlopsMachineArn").split(":")
        self._arns = f"arn:{partition}:sagemaker:{region}:{account}:model-package/"

    def versions(self, model: str | None, most: int) -> Iterator[Version]:
        """Yield the newest versions of a model, or of all, at most `most` of each, the newest first.

        Raises:
            OperateError: there is no such model.
        """
        groups = self._groups()
        if model is not None:
            group = model if model in groups else names.package_group(self._prefix, model)
            if group not in groups:
                listed = ", ".join(groups) or "none so far"
                raise OperateError(f"there is no model {model!r}: the groups of packages are {listed}")
            groups = [group]
        serving = self._serving()
        for group in groups:
            for summary in self._summaries(group, most):
                yield self._version(group, summary, serving)

    def compare(self, first: str, second: str) -> list[Difference]:
        """Return every fact that is known of at least one of two packages, such as `abalone/3` and `abalone/4`.

        Raises:
            OperateError: one of them is not registered.
        """
        one, two = (self._facts(self._find(asked)) for asked in (first, second))
        return [Difference(fact, one.get(fact, ""), two.get(fact, "")) for fact in dict.fromkeys([*one, *two])]

    def _groups(self) -> list[str]:
        prefix = f"{self._prefix}-"
        pages = self._sagemaker.get_paginator("list_model_package_groups").paginate(NameContains=prefix)
        listed = [one["ModelPackageGroupName"] for page in pages for one in page["ModelPackageGroupSummaryList"]]
        return sorted(name for name in listed if name.startswith(prefix) and not names.of_branch(name))

    def _summaries(self, group: str, most: int) -> list[dict[str, Any]]:
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group,
            SortBy="CreationTime",
            SortOrder="Descending",
            PaginationConfig={"MaxItems": most},
        )
        return [one for page in pages for one in page["ModelPackageSummaryList"]]

    def _serving(self) -> dict[str, list[str]]:
        """Return the stages by the package that they serve."""
        found: dict[str, list[str]] = {}
        endpoints, prefix = Endpoints(self._sagemaker), f"{self._prefix}-"
        for page in self._sagemaker.get_paginator("list_endpoints").paginate(NameContains=prefix):
            for endpoint in page["Endpoints"]:
                package = endpoints.live_package(endpoint["EndpointName"])
                if package and endpoint["EndpointName"].startswith(prefix):
                    stage = endpoint["EndpointName"].rpartition("-")[2]
                    found.setdefault(package.lower(), []).append(stage)
        return found

    def _version(self, group: str, summary: Mapping[str, Any], serving: Mapping[str, list[str]]) -> Version:
        arn = summary["ModelPackageArn"]
        package = self._packages.find(arn)
        report = self._report(package) if package else {}
        decided_by, reason = self._decision(arn, package)
        return Version(
            words.package_name(arn),
            names.model_of_group(self._prefix, group),
            summary["ModelApprovalStatus"],
            summary["CreationTime"],
            str(report.get("primary", "")),
            {name: metric["value"] for name, metric in report.get("metrics", {}).items()},
            decided_by,
            reason,
            tuple(sorted(serving.get(arn.lower(), ()))),
            (package.commit if package else None) or "",
        )

    def _decision(self, arn: str, package: ModelPackage | None) -> tuple[str, str]:
        """Return who decided about a package and why; of one that the registry alone decided, who changed it last."""
        reviews = [one for one in self._reviews.of_package(arn) if one.kind == "package" and one.status in _DECIDED]
        if reviews:
            last = reviews[-1]
            return last.overturned_by or last.by or f"nobody ({last.status})", last.reason
        decided = package is not None and package.approval in {"Approved", "Rejected"}
        return (package.changed_by, package.description) if package and decided else ("", "")

    def _report(self, package: ModelPackage) -> dict[str, Any]:
        """Return a package's evaluation report; none where it has none, or where you may not read it."""
        try:
            text = self._objects.text(package.report) if package.report else None
            return dict(json.loads(text)) if text else {}
        except (CallRefusedError, ValueError):
            return {}

    def _find(self, asked: str) -> ModelPackage:
        short = asked if asked.startswith(f"{self._prefix}-") else f"{self._prefix}-{asked}"
        package = self._packages.find(asked if asked.startswith("arn:") else f"{self._arns}{short}")
        if package is None:
            raise OperateError(
                f"no package {asked!r} is registered: name it as `signalbox models` shows it, such as abalone/3"
            )
        return package

    def _facts(self, package: ModelPackage) -> dict[str, str]:
        report = self._report(package)
        origin = report.get("lineage", {})
        known: dict[str, object] = {
            "status": package.approval,
            **{words.label(name): words.number(one["value"]) for name, one in report.get("metrics", {}).items()},
            "test rows": report.get("rows"),
            "test data": report.get("test_data"),
            "run": origin.get("run"),
            "files": ", ".join(origin.get("files", [])),
            "training data": origin.get("train_data"),
            "training rows": origin.get("train_rows"),
            "image": ", ".join(one.image for one in package.containers),
            "model data": ", ".join(one.model_data or "" for one in package.containers),
            "commit": package.commit,
            **{f"hyperparameter {name}": value for name, value in self._hyperparameters(report).items()},
        }
        return {fact: str(value) for fact, value in known.items() if value not in (None, "")}

    def _hyperparameters(self, report: Mapping[str, Any]) -> dict[str, str]:
        """Return those of the training job that a report names; none where it is not there any more."""
        job = (report.get("training") or {}).get("job")
        if not job:
            return {}
        try:
            found = self._sagemaker.describe_training_job(TrainingJobName=job).get("HyperParameters", {})
        except ClientError as error:
            if code_of(error) not in {"ValidationException", "ResourceNotFound"}:
                raise
            return {}
        return dict(sorted(found.items()))
