"""What the intrinsic functions of the template come to, in one imagined account with the default parameters.

The names are those of the samples in `events/`, so that patterns and policies can be held against them.
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

ACCOUNT = "123456789012"
REGION = "us-east-1"
STACK = "signalbox"
NO_VALUE = object()
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": NO_VALUE,
}
# A value for each parameter that has no default, and one that shows what an empty default would hide.
_GIVEN = {
    "Sender": "models@example.com",
    "Approvers": "ann@example.com",
    "UploadEvents": "both",
}
_NAMES = {"DataBucket": f"signalbox-data-{ACCOUNT}", "ArtifactsBucket": f"signalbox-artifacts-{ACCOUNT}"}
_ARNS = {
    "AWS::CloudWatch::Alarm": "cloudwatch:{region}:{account}:alarm:{name}",
    "AWS::CodeBuild::Project": "codebuild:{region}:{account}:project/{name}",
    "AWS::CodeCommit::Repository": "codecommit:{region}:{account}:{name}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::ECR::Repository": "ecr:{region}:{account}:repository/{name}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy{path}{name}",
    "AWS::IAM::OIDCProvider": "iam::{account}:oidc-provider/{name}",
    "AWS::IAM::Role": "iam::{account}:role{path}{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Lambda::LayerVersion": "lambda:{region}:{account}:layer:{name}:1",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{name}",
}
_REF_IS_ARN = frozenset(
    (
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::Lambda::LayerVersion",
        "AWS::SNS::Topic",
        "AWS::SecretsManager::Secret",
        "AWS::StepFunctions::StateMachine",
    )
)
_NAME_PROPERTIES = ("Name", "LogGroupName", "TrailName", "FunctionName", "EmailIdentity", "RepositoryName")
_VARIABLE = re.compile(r"\$\{(![^}]+|[\w:.]+)\}")


class Values:
    """Resolves `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::Join`, `Fn::Split`, `Fn::FindInMap`, `Fn::If`, those of conditions.

    Names that CloudFormation makes up begin with `STACK`, whatever the stack is called: nothing may depend on them.
    `given` are values of parameters.
    """

    def __init__(
        self,
        sam: Mapping[str, Any],
        cfn: Mapping[str, Any],
        stack: str = STACK,
        given: Mapping[str, str] | None = None,
    ) -> None:
        self._pseudo = {**_PSEUDO, "AWS::StackName": stack, "AWS::StackId": f"arn:aws:cloudformation:{stack}"}
        values = {**_GIVEN, **(given or {})}
        self._parameters = {
            name: _typed(entry, values.get(name, entry.get("Default", f"<{name}>")))
            for name, entry in sam.get("Parameters", {}).items()
        }
        self._functions = self._known()
        self._conditions: Mapping[str, Any] = cfn.get("Conditions", {})
        self._mappings: Mapping[str, Any] = cfn.get("Mappings", {})
        # The ids of SAM resources (`Api`, `SignalboxLayer`) are known by the translation, or stand for themselves.
        self._resources: dict[str, Any] = {**sam["Resources"], **cfn["Resources"]}

    def of(self, node: Any) -> Any:
        """Return `node` with every intrinsic function in it replaced; what has no value is left out."""
        if isinstance(node, list):
            return [value for value in map(self.of, node) if value is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in self._functions:
                return self._functions[name](argument)
        pairs = ((name, self.of(value)) for name, value in node.items())
        return {name: value for name, value in pairs if value is not NO_VALUE}

    def name(self, logical_id: str) -> str:
        """Return the physical name of a resource."""
        properties = self._resources.get(logical_id, {}).get("Properties", {})
        for member in _NAME_PROPERTIES:
            if isinstance(properties, dict) and member in properties:
                return str(self.of(properties[member]))
        suffix = ".fifo" if properties.get("FifoQueue") else ""
        return _NAMES.get(logical_id, f"{STACK}-{logical_id}{suffix}")

    def arn(self, logical_id: str) -> str:
        """Return the ARN of a resource; for a type without one, its name."""
        resource = self._resources.get(logical_id, {})
        kind, name = resource.get("Type", ""), self.name(logical_id)
        if kind not in _ARNS:
            return name
        path = self.of(resource.get("Properties", {}).get("Path", "/"))
        return f"arn:aws:{_ARNS[kind].format(region=REGION, account=ACCOUNT, name=name, path=path)}"

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        kind = self._resources.get(name, {}).get("Type")
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name(name)}"
        return self.arn(name) if kind in _REF_IS_ARN else self.name(name)

    def _get_att(self, argument: Any) -> Any:
        name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
        return self.arn(name) if attribute.endswith("Arn") else self.name(name)

    def _sub(self, argument: Any) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in given:
                return str(self.of(given[name]))
            return str(self._get_att(name) if "." in name else self._ref(name))

        return _VARIABLE.sub(value, text)

    def _join(self, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.of(parts))

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second = self.of(argument)
        return self._mappings[name][first][second]

    def _if(self, argument: Any) -> Any:
        name, then, otherwise = argument
        return self.of(then if self._true(name) else otherwise)

    def holds(self, condition: str | None) -> bool:
        """Tell whether a condition of the template holds; none always does."""
        return condition is None or self._true(condition)

    def _true(self, condition: Any) -> bool:
        return bool(self.of(self._conditions[condition] if isinstance(condition, str) else condition))

    def _known(self) -> dict[str, Callable[[Any], Any]]:
        return {
            "Ref": self._ref,
            "Condition": self._true,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Base64": lambda text: base64.b64encode(str(self.of(text)).encode()).decode(),
            "Fn::Join": self._join,
            "Fn::Split": lambda pair: str(self.of(pair[1])).split(pair[0]),
            "Fn::Select": lambda pair: self.of(pair[1])[int(pair[0])],
            "Fn::FindInMap": self._find_in_map,
            "Fn::If": self._if,
            "Fn::Equals": lambda pair: self.of(pair[0]) == self.of(pair[1]),
            "Fn::Not": lambda items: not self._true(items[0]),
            "Fn::And": lambda items: all(map(self._true, items)),
            "Fn::Or": lambda items: any(map(self._true, items)),
        }


def _typed(entry: Mapping[str, Any], value: Any) -> Any:
    return str(value).split(",") if entry.get("Type") == "CommaDelimitedList" else value
