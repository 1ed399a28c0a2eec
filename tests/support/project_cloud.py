"""What `signalbox deploy` talks to, in memory: stacks with their roles and parameters, groups, pipelines, objects."""

import json
from collections.abc import Callable
from typing import Any

from signalbox_operate.projects.place import Place
from signalbox_operate.stack import Stack
from tests.gates.cfn_yaml import parse
from tests.gates.values import Values
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.stack import OUTPUTS

ACCOUNT = "123456789012"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/signalbox-ContainerPolicy"
QUEUES = {
    "PushesQueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:signalbox-pushes.fifo",
    "EventsDeadLettersArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:signalbox-dead",
}


class Stacks(RecordingClient):
    """CloudFormation, which makes roles and writes parameters; `fail_on` is a resource that it cannot make.

    `fails_with` is why; a boundary goes only when no role of a project has it any more.
    """

    def __init__(self, parameters: dict[str, str], account: str = ACCOUNT) -> None:
        super().__init__("cloudformation")
        self.account = account
        self.fails_with = "it is there already"
        self.stacks: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.parameters = parameters
        self.fail_on: str | None = None
        self.refuse_deletion = False

    def _describe_stacks(self, **request: Any) -> dict[str, Any]:
        stack_name = request["StackName"]
        if stack_name not in self.stacks:
            raise client_error("ValidationError", f"Stack with id {stack_name} does not exist")
        stack = self.stacks[stack_name]
        if stack["moving"]:
            stack["moving"] -= 1
        status = f"{stack['doing']}_IN_PROGRESS" if stack["moving"] else stack["status"]
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in stack["outputs"].items()]
        given = {"Parameters": stack.get("parameters", []), "Tags": stack.get("tags", []), "Outputs": outputs}
        return {"Stacks": [{"StackName": stack_name, "StackStatus": status, "CreationTime": 0, **given}]}

    def _get_template(self, **request: Any) -> dict[str, Any]:
        return {"TemplateBody": self.stacks[request["StackName"]]["template"]}

    def _describe_stack_events(self, **request: Any) -> dict[str, Any]:
        stack_name = request["StackName"]
        if stack_name not in self.stacks:
            raise client_error("ValidationError", f"Stack [{stack_name}] does not exist")
        return {"StackEvents": list(reversed(self.events[stack_name]))}

    def _create_stack(self, **request: Any) -> dict[str, Any]:
        name = request["StackName"]
        assert name not in self.stacks
        self.events[name] = []
        self.stacks[name] = {"outputs": {}, "template": None}
        self._work(name, request, "CREATE", "ROLLBACK_COMPLETE")
        return {"StackId": name}

    def _update_stack(self, **request: Any) -> dict[str, Any]:
        name = request["StackName"]
        stack = self.stacks[name]
        same = stack["tags"] == request["Tags"] and stack["parameters"] == request.get("Parameters", [])
        if same and stack["template"] == request["TemplateBody"]:
            raise client_error("ValidationError", "No updates are to be performed.")
        self._work(name, request, "UPDATE", "UPDATE_ROLLBACK_COMPLETE")
        return {"StackId": name}

    def _delete_stack(self, **request: Any) -> dict[str, Any]:
        stack_name = request["StackName"]
        if self.refuse_deletion:
            self._happened(stack_name, "JobRole", "DELETE_FAILED", "it is attached")
            self.stacks[stack_name].update(status="DELETE_FAILED", moving=1, doing="DELETE")
            return {}
        if stack_name not in self.stacks:  # which CloudFormation takes for done
            return {}
        if self._bounds(stack_name):
            self._happened(stack_name, "Boundary", "DELETE_FAILED", "Cannot delete a policy attached to entities.")
            self.stacks[stack_name].update(status="DELETE_FAILED", moving=1, doing="DELETE")
            return {}
        for name in self.stacks.pop(stack_name).get("made", ()):
            self.parameters.pop(name, None)
        return {}

    def _bounds(self, name: str) -> bool:
        """Say whether the boundary of a stack is that of a role of another one."""
        boundary = self.stacks[name]["outputs"].get("BoundaryArn")
        others = (stack for other, stack in self.stacks.items() if other != name)
        return boundary is not None and any(boundary in (stack["template"] or "") for stack in others)

    def _work(self, name: str, request: dict[str, Any], doing: str, failed: str) -> None:
        template = _read(request["TemplateBody"])
        stack = self.stacks[name]
        stack.update(doing=doing, moving=3)
        self._happened(name, "Project", f"{doing}_IN_PROGRESS")
        if self.fail_on in template["Resources"]:
            self._happened(name, str(self.fail_on), f"{doing}_FAILED", self.fails_with)
            self._happened(name, "ModelRole", f"{doing}_FAILED", "Resource creation cancelled")
            stack.update(status=failed)
            return
        stack.update(status=f"{doing}_COMPLETE", template=request["TemplateBody"])
        stack.update(parameters=request.get("Parameters", []), tags=request["Tags"])
        if "Parameters" in template:
            given = {one["ParameterKey"]: one["ParameterValue"] for one in stack["parameters"]}
            values = Values(template, template, name, given)
            stack["outputs"] = {key: values.of(one["Value"]) for key, one in template["Outputs"].items()}
            grant = values.of(template["Resources"]["Grant"]["Properties"])
            self.parameters[grant["Name"]], stack["made"] = grant["Value"], [grant["Name"]]
            return
        roles = {
            key: _role(name, key, one, self.account)
            for key, one in template["Resources"].items()
            if "Role" in one["Type"]
        }
        stack["outputs"] = {f"{key}Arn": arn for key, arn in roles.items()}
        documents = [one["Properties"] for one in template["Resources"].values() if "SSM" in one["Type"]]
        for gone in {*stack.get("made", ())} - {one["Name"] for one in documents}:
            self.parameters.pop(gone, None)
        self.parameters |= {one["Name"]: _filled(one["Value"], roles) for one in documents}
        stack["made"] = [one["Name"] for one in documents]

    def _happened(self, name: str, resource: str, status: str, reason: str = "") -> None:
        number = len(self.events[name])
        event = {"StackId": name, "EventId": f"{name}-{number}", "StackName": name, "Timestamp": 0}
        event |= {"LogicalResourceId": resource, "ResourceStatus": status}
        self.events[name].append(event | ({"ResourceStatusReason": reason} if reason else {}))


def _read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text) if text.startswith("{") else parse(text)
    return found


def _role(stack: str, key: str, resource: dict[str, Any], account: str) -> str:
    return f"arn:aws:iam::{account}:role{resource['Properties']['Path']}{stack}-{key}"


def _filled(value: Any, roles: dict[str, str]) -> str:
    if isinstance(value, str):
        return value
    text = str(value["Fn::Sub"])
    for key, arn in roles.items():
        text = text.replace(f"${{{key}.Arn}}", arn)
    return text.replace("${!", "${")


class Parameters(RecordingClient):
    """Parameter Store."""

    def __init__(self) -> None:
        super().__init__("ssm")
        self.found: dict[str, str] = {}

    def _get_parameter(self, **request: Any) -> dict[str, Any]:
        name = request["Name"]
        if name not in self.found:
            raise client_error("ParameterNotFound")
        return {"Parameter": {"Name": name, "Value": self.found[name]}}

    def _put_parameter(self, **request: Any) -> dict[str, Any]:
        self.found[request["Name"]] = request["Value"]
        return {}

    def _delete_parameter(self, **request: Any) -> dict[str, Any]:
        del self.found[request["Name"]]
        return {}

    def _delete_parameters(self, **request: Any) -> dict[str, Any]:
        gone = [name for name in request["Names"] if self.found.pop(name, None) is not None]
        return {"DeletedParameters": gone} if gone else {"InvalidParameters": request["Names"]}

    def _get_parameters_by_path(self, **request: Any) -> dict[str, Any]:
        path = request["Path"]
        below = {name: value for name, value in self.found.items() if name.startswith(f"{path}/")}
        return {"Parameters": [{"Name": name, "Value": value} for name, value in below.items()]}


class SageMaker(RecordingClient):
    """SageMaker's groups, pipelines, executions and endpoints; `refuses` is what it says to every definition."""

    def __init__(self) -> None:
        super().__init__("sagemaker")
        self.pipelines: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, list[dict[str, str]]] = {}
        self.features: dict[str, dict[str, Any]] = {}
        self.breaks = ""  # why no feature group comes to be
        self.settling = 1  # so many looks see a feature group that is still being made or extended
        self.endpoints: list[str] = []
        self.executions: dict[str, list[str]] = {}
        self.started: dict[str, list[dict[str, Any]]] = {}
        self.refuses = ""
        self._tokens: set[str] = set()

    def _create_model_package_group(self, **request: Any) -> dict[str, Any]:
        model_package_group_name = request["ModelPackageGroupName"]
        tags = request["Tags"]
        if model_package_group_name in self.groups:
            raise client_error("ValidationException", f"Model Package Group already exists: {model_package_group_name}")
        self.groups[model_package_group_name] = tags
        return {}

    def _create_feature_group(self, **request: Any) -> dict[str, Any]:
        name = request["FeatureGroupName"]
        assert name not in self.features
        arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:feature-group/{name}"
        self.features[name] = {**request, "FeatureGroupArn": arn, "CreationTime": 0, "looks": self.settling}
        self.features[name].pop("Tags")
        if self.breaks:
            self.features[name] |= {"FeatureGroupStatus": "CreateFailed", "FailureReason": self.breaks}
        return {"FeatureGroupArn": arn}

    def _update_feature_group(self, **request: Any) -> dict[str, Any]:
        found = self.features[request["FeatureGroupName"]]
        found["FeatureDefinitions"] = [*found["FeatureDefinitions"], *request["FeatureAdditions"]]
        found["looks"], found["updated"] = self.settling, True
        return {"FeatureGroupArn": found["FeatureGroupArn"]}

    def _describe_feature_group(self, **request: Any) -> dict[str, Any]:
        name = request["FeatureGroupName"]
        if name not in self.features:
            raise client_error("ResourceNotFound", "there is no such group")
        found = dict(self.features[name])
        looks, updated = found.pop("looks"), found.pop("updated", False)
        self.features[name]["looks"] = max(0, looks - 1)
        page = int(request.get("NextToken", 0))
        more = {"NextToken": str(page + 2)} if page + 2 < len(found["FeatureDefinitions"]) else {"NextToken": ""}
        listed = found["FeatureDefinitions"][page : page + 2]
        status = {"FeatureGroupStatus": "Creating" if looks and not updated else "Created"}
        if updated:
            status["LastUpdateStatus"] = {"Status": "InProgress" if looks else "Successful"}  # type: ignore[assignment]
        return {**status, **found, "FeatureDefinitions": listed, **more}

    def _list_model_packages(self, **request: Any) -> dict[str, Any]:
        assert request["ModelPackageGroupName"] in self.groups
        return {"ModelPackageSummaryList": []}

    def _describe_pipeline(self, **request: Any) -> dict[str, Any]:
        pipeline_name = request["PipelineName"]
        if pipeline_name not in self.pipelines:
            raise client_error("ResourceNotFound", "Pipeline does not exist")
        return self.pipelines[pipeline_name]

    def _create_pipeline(self, **request: Any) -> dict[str, Any]:
        if request["PipelineName"] in self.pipelines:
            raise client_error("ValidationException", "Pipeline names must be unique within an AWS account and region")
        # As SageMaker does: what was made by the same request before, is not made again, even if it was deleted since.
        if request["ClientRequestToken"] not in self._tokens:
            self._put(**request)
        self._tokens.add(request["ClientRequestToken"])
        return {}

    def _update_pipeline(self, **request: Any) -> dict[str, Any]:
        return self._put(**request)

    def _put(self, **request: Any) -> dict[str, Any]:
        if self.refuses:
            raise client_error("ValidationException", self.refuses)
        name = request["PipelineName"]
        kept = {key: request[key] for key in ("PipelineName", "PipelineDefinition", "RoleArn")}
        arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/{name}"
        self.pipelines[name] = {**kept, "PipelineArn": arn}
        return {}

    def _delete_pipeline(self, **request: Any) -> dict[str, Any]:
        if request["ClientRequestToken"] in self._tokens:
            return {}
        self._tokens.add(request["ClientRequestToken"])
        if self.pipelines.pop(request["PipelineName"], None) is None:
            raise client_error("ResourceNotFound", "Pipeline does not exist")
        return {}

    def _delete_endpoint(self, **request: Any) -> dict[str, Any]:
        endpoint_name = request["EndpointName"]
        self.endpoints.remove(endpoint_name)
        return {}

    def _list_endpoints(self, **request: Any) -> dict[str, Any]:
        name_contains = request["NameContains"]
        found = [name for name in self.endpoints if name_contains in name]
        arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/"
        times = {"CreationTime": 0, "LastModifiedTime": 0, "EndpointStatus": "InService"}
        return {"Endpoints": [{"EndpointName": name, "EndpointArn": f"{arn}{name}", **times} for name in found]}

    def _list_pipeline_executions(self, **request: Any) -> dict[str, Any]:
        pipeline_name = request["PipelineName"]
        if pipeline_name not in self.pipelines:
            raise client_error("ResourceNotFound", "Pipeline does not exist")
        arn = f"{self.pipelines[pipeline_name]['PipelineArn']}/execution/e"
        listed = self.executions.get(pipeline_name, [])
        one = {"PipelineExecutionArn": arn, "PipelineExecutionDisplayName": "run-1"}
        begun = [
            {**one, "PipelineExecutionDisplayName": each["PipelineExecutionDisplayName"]}
            for each in self.started.get(pipeline_name, [])
        ]
        found = [{**each, "PipelineExecutionStatus": "Executing"} for each in begun]
        found += [{**one, "PipelineExecutionStatus": status} for status in listed]
        return {"PipelineExecutionSummaries": found}

    def _list_pipeline_parameters_for_execution(self, **request: Any) -> dict[str, Any]:
        assert "/execution/" in request["PipelineExecutionArn"]
        return {"PipelineParameters": [{"Name": "InputManifest", "Value": "s3://signalbox-artifacts/manifests/1.json"}]}

    def _start_pipeline_execution(self, **request: Any) -> dict[str, Any]:
        self.started.setdefault(request["PipelineName"], []).append(request)
        return {"PipelineExecutionArn": f"{self.pipelines[request['PipelineName']]['PipelineArn']}/execution/e"}


class Machines(RecordingClient):
    """Step Functions, with open executions by name, each with its input."""

    def __init__(self) -> None:
        super().__init__("stepfunctions")
        self.open: dict[str, dict[str, Any]] = {}

    def _list_executions(self, **request: Any) -> dict[str, Any]:
        state_machine_arn = request["stateMachineArn"]
        listed = self.open if state_machine_arn == OUTPUTS["MlopsMachineArn"] else {}
        common = {"stateMachineArn": state_machine_arn, "status": "RUNNING", "startDate": 0}
        arn = state_machine_arn.replace(":stateMachine:", ":execution:")
        return {"executions": [{"name": name, "executionArn": f"{arn}:{name}", **common} for name in listed]}

    def _describe_execution(self, **request: Any) -> dict[str, Any]:
        execution_arn = request["executionArn"]
        given = self.open[execution_arn.rsplit(":", 1)[1]]
        common = {"stateMachineArn": OUTPUTS["MlopsMachineArn"], "status": "RUNNING", "startDate": 0}
        return {"executionArn": execution_arn, "input": json.dumps(given), **common}


class Repositories(RecordingClient):
    """CodeCommit, with the repositories of `there`."""

    def __init__(self) -> None:
        super().__init__("codecommit")
        self.there: set[str] = set()

    def _get_repository(self, **request: Any) -> dict[str, Any]:
        name = request["repositoryName"]
        if name not in self.there:
            raise client_error("RepositoryDoesNotExistException", f"{name} does not exist")
        url = f"https://git-codecommit.us-east-1.amazonaws.com/v1/repos/{name}"
        return {"repositoryMetadata": {"repositoryName": name, "cloneUrlHttp": url}}


class Images(RecordingClient):
    """ECR, with the repositories of `there`."""

    def __init__(self) -> None:
        super().__init__("ecr")
        self.there: set[str] = set()

    def _describe_repositories(self, **request: Any) -> dict[str, Any]:
        (name,) = request["repositoryNames"]
        if name not in self.there:
            raise client_error("RepositoryNotFoundException", f"{name} does not exist")
        return {"repositories": [{"repositoryName": name}]}


class Secrets(RecordingClient):
    """Secrets Manager, with the values of secrets by their names."""

    def __init__(self) -> None:
        super().__init__("secretsmanager")
        self.found: dict[str, str] = {}

    def _get_secret_value(self, **request: Any) -> dict[str, Any]:
        name = request["SecretId"]
        if name not in self.found:
            raise client_error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return {"Name": name, "SecretString": self.found[name]}


class ProjectCloud:
    """A stack `signalbox` that watches `incoming/`, its services, and what was said; or one elsewhere."""

    def __init__(self, prefix: str = "signalbox", account: str = ACCOUNT, region: str = "us-east-1") -> None:
        self.prefix, self.account, self.region = prefix, account, region
        self.ssm, self.sagemaker, self.machines = Parameters(), SageMaker(), Machines()
        self.stacks = Stacks(self.ssm.found, account)
        self.s3 = RecordingClient("s3", {"put_object": {"VersionId": "v1"}})
        self.codecommit, self.ecr, self.secrets = Repositories(), Images(), Secrets()
        self.waiting: dict[str, int] = {}
        self.sealed: dict[str, int] = {}  # uploads of a run that cannot start
        self.said: list[str] = []
        self.clients: dict[str, Any] = {
            "cloudformation": self.stacks,
            "codecommit": self.codecommit,
            "ecr": self.ecr,
            "dynamodb": RecordingClient("dynamodb", {"query": self._query}),
            "s3": self.s3,
            "sagemaker": self.sagemaker,
            "secretsmanager": self.secrets,
            "ssm": self.ssm,
            "stepfunctions": self.machines,
        }

    def place(self, client: Callable[[str], Any] | None = None) -> Place:
        """Return the stack as the commands have it."""
        texts = {**OUTPUTS, "ContainerPolicyArn": POLICY, **QUEUES}
        outputs = {key: self._own(text) for key, text in texts.items()}
        parameters = {"UploadPrefix": "incoming/", "ImageAccounts": "683313688378", "LogRetentionDays": "90"}
        stack = Stack(self.prefix, outputs, parameters)
        return Place(stack, self.region, client or self.clients.__getitem__, self.said.append)

    def _own(self, text: str) -> str:
        """Return a text of the stack `signalbox` as this one has it."""
        here = text.replace("signalbox", self.prefix).replace(ACCOUNT, self.account)
        return here.replace("us-east-1", self.region)

    def _query(self, **request: Any) -> dict[str, Any]:
        asked = str(request["ExpressionAttributeValues"])
        for pipeline in self.sealed:
            if f"'pipeline#{pipeline}'" in asked:
                run = {"pipeline": pipeline, "status": "Claimed", "created_at": "2026-11-20T12:00:00.000Z"}
                return {"Items": [{name: {"S": value} for name, value in run.items()} | {"number": {"N": "1"}}]}
        kept = {f"'run#{pipeline}-000001-": count for pipeline, count in self.sealed.items()}
        kept |= {f"'waiting#{pipeline}--#0'": count for pipeline, count in self.waiting.items()}
        number = next((count for key, count in kept.items() if key in asked), 0)
        sorted_by = {"pk": "waiting#p--#0", "sk": "2026-11-20T12:00:00.000Z#0"}
        facts = {**sorted_by, "bucket": "b", "key": "k", "version": "v", "recorded_at": "2026-11-20T12:00:00.000Z"}
        item = {name: {"S": value} for name, value in facts.items()} | {"size": {"N": "1"}}
        return {"Items": [item] * number}
