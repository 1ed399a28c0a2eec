"""Requests of every operation with every member that is honoured, and some with every member that is kept."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from tests.sagemaker_local.support.jobs import OWN, channel, container, tar_gz, training, transform, until
from tests.sagemaker_local.support.pipeline_steps import document, fail, invoke
from tests.sagemaker_local.support.pipelines import World
from tests.sagemaker_local.support.reading import input_shape
from tests.sagemaker_local.support.service import DATA, PREFIX, ROLE, SageMaker, variant

from sagemaker_local.core.errors import ApiError
from sagemaker_local.core.members import KEPT, REFUSED, found
from sagemaker_local.core.shapes import problems
from sagemaker_local.notebooks import leave_behind

TAGS = [{"Key": "a", "Value": "b"}]
# Members that their handler refuses in AWS's words, as AWS refuses them for a package of a group.
SETTLED = {
    "CreateModelPackage.ModelPackageName": "no ModelPackageName and no Tags",
    "CreateModelPackage.Tags.Key": "no ModelPackageName and no Tags",
    "CreateModelPackage.Tags.Value": "no ModelPackageName and no Tags",
}
_TEXTS = [
    "a",
    "s3://b/k",
    "arn:aws:sagemaker:us-east-1:123456789012:x/y",
    "1",
    "sg-1",
    "sha256:" + "a" * 64,
    "1.0.0",
    "text/csv",
    "d-1",
    "arn:aws:sagemaker:us-east-1:123456789012:image/i",
    "None",
]
SOURCE = {"S3Uri": "s3://models/raw/", "S3DataType": "S3Prefix", "CompressionType": "None"}
SUPPORTED = {
    "SupportedTransformInstanceTypes": ["ml.m5.large"],
    "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
}
PACKED = {"Image": OWN, "ModelDataUrl": DATA, "Environment": {"A": "b"}, "ImageDigest": "sha256:" + "a" * 64}
RAW = {"Image": OWN, "ModelDataSource": {"S3DataSource": SOURCE}, "Environment": {"A": "b"}}


_MORE: dict[str, dict[str, Any]] = {
    "CreateTransformJob": {"TransformResources": {"InstanceType": "ml.m5.large"}},
    "CreateProcessingJob": {
        "AppSpecification": {"ImageUri": OWN, "ContainerEntrypoint": ["python3", "-c", "print(1)"]},
        "ProcessingInputs": [
            {"S3Input": {"S3Uri": "s3://models/raw/", "LocalPath": "/opt/ml/in", "S3DataType": "S3Prefix"}}
        ],
        "ProcessingOutputConfig": {
            "Outputs": [{"S3Output": {"S3Uri": "s3://o/p", "LocalPath": "/opt/ml/out", "S3UploadMode": "EndOfJob"}}]
        },
    },
    "CreateFeatureGroup": {
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "OnlineStoreConfig": {"EnableOnlineStore": True},
        "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://f/x"}},
    },
}

LASTING = {"Unit": "Weeks", "Value": 100_000}


class Requests:
    """The requests, of the service and of its pipelines."""

    def __init__(self, sagemaker: SageMaker, world: World) -> None:
        self._sagemaker, self._world = sagemaker, world
        self.call = sagemaker.call
        sagemaker.access.s3.put(DATA, tar_gz({"m": "model"}))
        sagemaker.access.s3.put("s3://models/raw/m", "model")

    def make_all(self) -> None:
        """Call every operation with every member that is honoured."""
        steps: list[Callable[[], None]] = [
            self._registry,
            self._models,
            self._endpoints,
            self._jobs,
            self._features,
            self._notebooks,
            self._studio,
            self._pipelines,
            self._tags,
            self._lists,
            self._ends,
        ]
        try:
            for step in steps:
                step()
        finally:
            self._sagemaker.endpoints.close()
            self._sagemaker.notebooks.close()
            self._sagemaker.studio.close()

    def _registry(self) -> None:
        self.call("CreateModelPackageGroup", ModelPackageGroupName="g", Tags=TAGS)
        own, other = self._specification(PACKED), self._specification(RAW)
        for token, first, second in (("t", own, other), ("u", other, own)):
            self.call(
                "CreateModelPackage",
                ModelPackageGroupName="g",
                ModelApprovalStatus="Approved",
                ClientToken=token,
                InferenceSpecification=first,
                AdditionalInferenceSpecifications=[{"Name": "more", **second}],
                CustomerMetadataProperties={"a": "b"},
            )
        for member in ({"ModelPackageName": "p"}, {"Tags": TAGS}):
            refused = self._sagemaker.refused("CreateModelPackage", ModelPackageGroupName="g", SourceUri="s", **member)
            assert SETTLED["CreateModelPackage.ModelPackageName"] in refused
        self.call("DescribeModelPackageGroup", ModelPackageGroupName="g")
        self.call("CreateModelPackageGroup", ModelPackageGroupName="gone")
        self.call("DeleteModelPackageGroup", ModelPackageGroupName="gone")

    @staticmethod
    def _specification(made: dict[str, Any]) -> dict[str, Any]:
        return {"Containers": [made], **SUPPORTED}

    def _updates(self) -> None:
        for number, first, second in ((1, PACKED, RAW), (2, RAW, PACKED)):
            arn = f"{PREFIX}model-package/g/{number}"
            self.call(
                "UpdateModelPackage",
                ModelPackageArn=arn,
                ModelApprovalStatus="Approved",
                CustomerMetadataProperties={"c": "d"},
                CustomerMetadataPropertiesToRemove=["a"],
                AdditionalInferenceSpecificationsToAdd=[{"Name": "added", **self._specification(first)}],
                InferenceSpecification=self._specification(second),
                ClientToken="u",
            )
            self.call("DescribeModelPackage", ModelPackageName=arn, IncludedData="AllData")

    def _models(self) -> None:
        """Make models of containers and packages; those that have data as they are get servers."""
        self.served: list[str] = []
        for name, made in (("packed", {**PACKED, "Mode": "SingleModel"}), ("raw", RAW)):
            self._model(name, {key: value for key, value in made.items() if key != "ImageDigest"})
        for number in (1, 2):
            self._model(f"own-{number}", {"ModelPackageName": f"{PREFIX}model-package/g/{number}"})
            self._model(f"more-{number}", self._of_package(number, "more"))
        self._serve("before", self.served)
        self.served = []
        self._updates()
        for number in (1, 2):
            self._model(f"new-{number}", self._of_package(number, None))
            self._model(f"added-{number}", self._of_package(number, "added"))
        self.call("DescribeModel", ModelName="p-raw")

    @staticmethod
    def _of_package(number: int, name: str | None) -> dict[str, Any]:
        named = {"InferenceSpecificationName": name} if name else {}
        return {"ModelPackageName": f"{PREFIX}model-package/g/{number}", "Environment": {"A": "b"}, **named}

    def _model(self, name: str, made: dict[str, Any]) -> None:
        """Make a model of one container in both ways; what its package supports is looked at."""
        role = {"ExecutionRoleArn": ROLE, "EnableNetworkIsolation": True, "Tags": TAGS}
        self.call("CreateModel", ModelName=f"p-{name}", PrimaryContainer=made, **role)
        self.call("CreateModel", ModelName=f"c-{name}", Containers=[made], **role)
        self.served += [f"p-{name}", f"c-{name}"] if "ModelPackageName" not in made else [f"p-{name}"]
        if "ModelPackageName" in made:
            other = variant("a", ModelName=f"p-{name}", InstanceType="ml.m4.xlarge")
            refused = self._sagemaker.refused(
                "CreateEndpointConfig", EndpointConfigName="x", ProductionVariants=[other]
            )
            assert "is not supported by model package" in refused
            instances = {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1}
            asked = {**transform(ModelName=f"p-{name}"), "TransformResources": instances}
            assert "is not supported by model package" in self._sagemaker.refused("CreateTransformJob", **asked)

    def _serve(self, config: str, models: list[str]) -> None:
        """Serve models with every member of a variant, each of them for itself."""
        more = {"InitialVariantWeight": 1.0, "ContainerStartupHealthCheckTimeoutInSeconds": 60}
        variants = [variant(f"v-{name}", ModelName=name, **more) for name in models]
        self.call("CreateEndpointConfig", EndpointConfigName=config, ProductionVariants=variants, Tags=TAGS)
        self.call("CreateEndpoint", EndpointName=config, EndpointConfigName=config, Tags=TAGS)
        self._until(config)

    def _endpoints(self) -> None:
        self._serve("after", self.served)
        serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
        alone = {"VariantName": "s", "ModelName": "p-raw", "ServerlessConfig": serverless}
        for config in ("two", "three"):
            self.call("CreateEndpointConfig", EndpointConfigName=config, ProductionVariants=[alone])
        self.call("DescribeEndpointConfig", EndpointConfigName="two")
        self._hosted()
        self._invocations()
        for name in ("before", "after", "hosted", "waiting"):
            self.call("DeleteEndpoint", EndpointName=name)
        self._moves()

    def _hosted(self) -> None:
        """Serve with capture and a shadow, and asynchronously."""
        more = {"InitialVariantWeight": 1.0, "ContainerStartupHealthCheckTimeoutInSeconds": 60}
        capture = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://captured/x",
            "KmsKeyId": "k",
            "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
        }
        topics = {
            "SuccessTopic": "arn:aws:sns:us-east-1:123456789012:a",
            "ErrorTopic": "arn:aws:sns:us-east-1:123456789012:b",
        }
        outputs = {"S3OutputPath": "s3://answers/x", "S3FailurePath": "s3://failures/x", "KmsKeyId": "k"}
        waiting = {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 1},
            "OutputConfig": {**outputs, "NotificationConfig": topics},
        }
        configs: dict[str, dict[str, Any]] = {
            "hosted": {
                "ShadowProductionVariants": [variant("shadow", ModelName="p-raw", **more)],
                "DataCaptureConfig": capture,
            },
            "waiting": {"AsyncInferenceConfig": waiting},
        }
        for name, config in configs.items():
            made = [variant("v", ModelName="p-raw")]
            self.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=made, **config)
            self.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
            self._until(name)
        self._waiting()

    def _waiting(self) -> None:
        self._sagemaker.access.s3.put("s3://data/ask", "1")
        headers = {
            "X-Amzn-SageMaker-Content-Type": "text/csv",
            "X-Amzn-SageMaker-Accept": "text/csv",
            "X-Amzn-SageMaker-Custom-Attributes": "c",
            "X-Amzn-SageMaker-Inference-Id": "i",
            "X-Amzn-SageMaker-S3OutputPathExtension": "e",
            "X-Amzn-SageMaker-Filename": "f",
            "X-Amzn-SageMaker-RequestTTLSeconds": "60",
            "X-Amzn-SageMaker-InvocationTimeoutSeconds": "60",
        }
        path = "/endpoints/waiting/async-invocations"
        self._sagemaker.rest("POST", path, b"1", **headers)
        for key in ("ask", "none"):
            self._sagemaker.rest("POST", path, b"", **headers, **{"X-Amzn-SageMaker-InputLocation": f"s3://data/{key}"})
        until(lambda: len(self._sagemaker.access.topics.sent) > 1)

    def _invocations(self) -> None:
        headers = {
            "Content-Type": "text/csv",
            "Accept": "text/csv",
            "X-Amzn-SageMaker-Custom-Attributes": "c",
            "X-Amzn-SageMaker-Target-Variant": "v-p-raw",
            "X-Amzn-SageMaker-Inference-Id": "i",
            "X-Amzn-SageMaker-Session-Id": "NEW_SESSION",
        }
        self._sagemaker.rest("POST", "/endpoints/before/invocations", b"a,b", **headers)
        streamed = {**headers, "X-Amzn-SageMaker-Accept": "text/csv", "X-Amzn-SageMaker-Session-Id": "s"}
        self._sagemaker.rest("POST", "/endpoints/before/invocations-response-stream", b"a,b", **streamed)
        del headers["X-Amzn-SageMaker-Target-Variant"], streamed["X-Amzn-SageMaker-Target-Variant"]
        self._sagemaker.rest("POST", "/endpoints/hosted/invocations-response-stream", b"a,b", **streamed)
        self._sagemaker.rest("POST", "/endpoints/hosted/invocations", b"a,b", **headers)
        until(lambda: len(self._sagemaker.access.s3.uris("s3://captured/x/hosted")) > 1)

    def _moves(self) -> None:
        half = {"Type": "CAPACITY_PERCENT", "Value": 50}
        waits = {"WaitIntervalInSeconds": 0}
        rollback = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}}
        canary = {"TrafficRoutingConfiguration": {"Type": "CANARY", "CanarySize": half, **waits}}
        linear = {"TrafficRoutingConfiguration": {"Type": "LINEAR", "LinearStepSize": half, **waits}}
        ends = {"TerminationWaitInSeconds": 0, "MaximumExecutionTimeoutInSeconds": 600}
        rolling = {"MaximumBatchSize": half, "MaximumExecutionTimeoutInSeconds": 600, **waits}
        policies = [
            {"BlueGreenUpdatePolicy": {**canary, **ends}, **rollback},
            {"BlueGreenUpdatePolicy": {**linear, **ends}},
            {"RollingUpdatePolicy": rolling},
        ]
        name = "f"
        for number, policy in enumerate(policies):
            name = f"f{number}"
            self.call("CreateEndpoint", EndpointName=name, EndpointConfigName="two", DeploymentConfig=policy)
            self._until(name)
            left_out = [{"VariantPropertyType": "DesiredWeight"}]
            self.call(
                "UpdateEndpoint",
                EndpointName=name,
                EndpointConfigName="three",
                DeploymentConfig=policy,
                RetainAllVariantProperties=True,
                ExcludeRetainedVariantProperties=left_out,
                RetainDeploymentConfig=True,
            )
            self._until(name)
            self.call("UpdateEndpoint", EndpointName=name, EndpointConfigName="two", RetainDeploymentConfig=True)
            self._until(name)
        wanted = {"VariantName": "s", "DesiredWeight": 2.0, "DesiredInstanceCount": 2}
        update = [{**wanted, "ServerlessUpdateConfig": {"MaxConcurrency": 2, "ProvisionedConcurrency": 1}}]
        self.call("UpdateEndpointWeightsAndCapacities", EndpointName=name, DesiredWeightsAndCapacities=update)

    def _until(self, name: str) -> None:
        def there() -> bool:
            return bool(self.call("DescribeEndpoint", EndpointName=name)["EndpointStatus"] == "InService")

        self._sagemaker.events.wait_until(there)

    def _jobs(self) -> None:
        s3 = self._sagemaker.access.s3
        s3.put("s3://data/test/1.csv", "1,2\n")
        container(self._sagemaker.containers, train="print('loss=1;')")
        key = {"KmsKeyId": "k"}
        data = channel("train", "s3://data/test/", "text/csv", CompressionType="None", RecordWrapperType="None")
        algorithm = {
            "TrainingImage": OWN,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9]+);"}],
            "ContainerArguments": ["a"],
        }
        request = training(
            InputDataConfig=[{**data, "InputMode": "File"}],
            HyperParameters={"a": "b"},
            Environment={"A": "b"},
            AlgorithmSpecification=algorithm,
            OutputDataConfig={"S3OutputPath": "s3://out/jobs/", "CompressionType": "GZIP", **key},
            CheckpointConfig={"S3Uri": "s3://out/checkpoints", "LocalPath": "/opt/ml/here"},
            EnableNetworkIsolation=True,
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
            Tags=TAGS,
        )
        del request["TrainingJobArn"]
        entry = {**algorithm, "ContainerEntrypoint": ["python3", "-c", "print(1)"]}
        self.call("CreateTrainingJob", **request)
        self.call("CreateTrainingJob", **{**request, "TrainingJobName": "job-2", "AlgorithmSpecification": entry})
        self._processing()
        self.call(
            "CreateTransformJob",
            **transform(TransformOutput=key, TransformInput={"CompressionType": "None"}, ModelName="p-packed"),
            MaxConcurrentTransforms=1,
            MaxPayloadInMB=1,
            BatchStrategy="MultiRecord",
            Environment={"A": "b"},
            ModelClientConfig={"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 1},
            DataProcessing={"InputFilter": "$", "OutputFilter": "$", "JoinSource": "Input"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            Tags=TAGS,
        )
        for kind in ("Training", "Processing", "Transform"):
            self._end(kind)

    def _end(self, kind: str) -> None:
        name = {f"{kind}JobName": "job"}
        self._sagemaker.events.wait_until(lambda: "Completed" in self._sagemaker.statuses(f"{kind} Job"))
        self.call(f"Describe{kind}Job", **name)
        tried(lambda: self.call(f"Stop{kind}Job", **name))

    def _processing(self) -> None:
        given = {"S3Uri": "s3://data/test/", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
        wanted = {"S3Uri": "s3://out/p/", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
        cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        self.call(
            "CreateProcessingJob",
            ProcessingJobName="job",
            ProcessingInputs=[
                {"InputName": "in", "S3Input": {**given, "S3InputMode": "File", "S3CompressionType": "None"}}
            ],
            ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": wanted}], "KmsKeyId": "k"},
            ProcessingResources={"ClusterConfig": cluster},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
            AppSpecification={
                "ImageUri": OWN,
                "ContainerEntrypoint": ["python3", "-c", "print(1)"],
                "ContainerArguments": ["a"],
            },
            Environment={"A": "b"},
            NetworkConfig={"EnableNetworkIsolation": True},
            RoleArn=ROLE,
            Tags=TAGS,
        )

    def _features(self) -> None:
        self.call(
            "CreateFeatureGroup",
            FeatureGroupName="g",
            RecordIdentifierFeatureName="id",
            EventTimeFeatureName="at",
            FeatureDefinitions=[{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at")],
            OnlineStoreConfig={"EnableOnlineStore": True, "TtlDuration": LASTING},
            OfflineStoreConfig={"S3StorageConfig": {"S3Uri": "s3://f/x", "KmsKeyId": "k"}},
            RoleArn=ROLE,
            Tags=TAGS,
        )
        row = [
            {"FeatureName": "id", "ValueAsString": "1"},
            {"FeatureName": "at", "ValueAsString": "2026-01-01T00:00:00Z"},
        ]
        of_group = json.dumps({"Record": row}).encode()
        self._sagemaker.rest("PUT", "/FeatureGroup/g", of_group)
        more, lasts = (
            [{"FeatureName": "more", "FeatureType": "String"}],
            {"TtlDuration": {"Unit": "Weeks", "Value": 99}},
        )
        self.call("UpdateFeatureGroup", FeatureGroupName="g", FeatureAdditions=more, OnlineStoreConfig=lasts)
        self._sagemaker.rest("PUT", "/FeatureGroup/g", of_group)
        stores = ["OnlineStore", "OfflineStore"]
        rest = self._sagemaker.rest
        one = {"RecordIdentifierValueAsString": "1"}
        rest(
            "PUT",
            "/FeatureGroup/g",
            json.dumps({"Record": row, "TargetStores": stores, "TtlDuration": LASTING}).encode(),
        )
        entry = {"FeatureGroupName": "g", "Record": row, "TargetStores": stores}
        for batch in ({"Entries": [{**entry, "TtlDuration": LASTING}]}, {"Entries": [entry], "TtlDuration": LASTING}):
            rest("POST", "/BatchWriteRecord", json.dumps(batch).encode())
        rest("GET", "/FeatureGroup/g", b"", FeatureName="id", **one)
        wanted = {"FeatureGroupName": "g", "RecordIdentifiersValueAsString": ["1"], "FeatureNames": ["id"]}
        rest("POST", "/BatchGetRecord", json.dumps({"Identifiers": [wanted]}).encode())
        gone = {"EventTime": "2026-01-02T00:00:00Z", "TargetStores": "OnlineStore", "DeletionMode": "HardDelete"}
        rest("DELETE", "/FeatureGroup/g", b"", **one, **gone)
        self.call("DescribeFeatureGroup", FeatureGroupName="g")
        self.call(
            "CreateFeatureGroup",
            FeatureGroupName="h",
            RecordIdentifierFeatureName="id",
            EventTimeFeatureName="at",
            FeatureDefinitions=[{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at")],
            OfflineStoreConfig={
                "S3StorageConfig": {"S3Uri": "s3://f/x"},
                "DataCatalogConfig": {"TableName": "t", "Catalog": "AwsDataCatalog", "Database": "d"},
                "DisableGlueTableCreation": False,
            },
            RoleArn=ROLE,
        )
        added = [{"FeatureName": "rings", "FeatureType": "Integral"}]
        self.call("UpdateFeatureGroup", FeatureGroupName="h", FeatureAdditions=added)

    def _pipelines(self) -> None:
        world = self._world
        parallel = {"MaxParallelExecutionSteps": 1}
        text = document(invoke("a"), parameters=[{"Name": "P", "Type": "String", "DefaultValue": "p"}])
        world.access.s3.objects["s3://bucket/k"] = json.dumps(text).encode()
        place = {"Bucket": "bucket", "ObjectKey": "k", "VersionId": "version-1"}
        token = world.token()
        world.create(text, Tags=TAGS, ParallelismConfiguration=parallel, ClientRequestToken=token)
        world.call(
            "CreatePipeline",
            PipelineName="Other",
            PipelineDefinitionS3Location=place,
            RoleArn=ROLE,
            ClientRequestToken=world.token(),
        )
        world.ended(world.start("Abalone"))
        update = {"PipelineName": "Abalone", "RoleArn": ROLE, "ParallelismConfiguration": parallel}
        world.call("UpdatePipeline", **update, PipelineDefinition=json.dumps(text))
        world.call("UpdatePipeline", **update, PipelineDefinitionS3Location=place)
        world.call("DescribePipeline", PipelineName="Abalone", PipelineVersionId=1)
        world.ended(world.start("Abalone"))
        arn = world.start(parameters={"P": "x"}, ParallelismConfiguration=parallel, PipelineVersionId=1)
        world.ended(arn)
        for operation in ("DescribePipelineDefinitionForExecution", "DescribePipelineExecution"):
            world.call(operation, PipelineExecutionArn=arn)
        tried(lambda: world.call("StopPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken=world.token()))
        world.create(document(fail("a")), name="Failing")
        failed = {"PipelineExecutionArn": world.start("Failing")}
        world.ended(failed["PipelineExecutionArn"])
        again = {"ParallelismConfiguration": parallel, "ClientRequestToken": world.token()}
        world.call("RetryPipelineExecution", **failed, **again)

    def _notebooks(self) -> None:
        hooks = {hook: [{"Content": "IyEvYmluL3No"}] for hook in ("OnCreate", "OnStart")}
        config, named = {"NotebookInstanceLifecycleConfigName": "l"}, {"NotebookInstanceName": "n"}
        version = {"InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"}}
        platform = {"PlatformIdentifier": "notebook-al2023-v1"}
        self.call("CreateNotebookInstanceLifecycleConfig", **config, **hooks, Tags=TAGS)
        self.call("UpdateNotebookInstanceLifecycleConfig", **config, **hooks)
        self.call("DescribeNotebookInstanceLifecycleConfig", **config)
        attached = {"LifecycleConfigName": "l", "RoleArn": ROLE, **version, **platform}
        network = {"SubnetId": "subnet-1", "SecurityGroupIds": ["sg-1"]}
        self.call("CreateNotebookInstance", **named, **attached, **network, InstanceType="ml.t3.medium", Tags=TAGS)
        self._notebook("InService")
        self.call("StopNotebookInstance", **named)
        self._notebook("Stopped")
        self.call("UpdateNotebookInstance", **named, **attached)
        self._notebook("Stopped")
        self.call("UpdateNotebookInstance", **named, DisassociateLifecycleConfig=True)
        self._notebook("Stopped")
        self.call("StartNotebookInstance", **named)
        self._notebook("InService")
        self.call("StopNotebookInstance", **named)
        self._notebook("Stopped")

    def _notebook(self, status: str) -> None:
        def there() -> bool:
            found = self.call("DescribeNotebookInstance", NotebookInstanceName="n")
            return bool(found["NotebookInstanceStatus"] == status)

        until(there)

    def _studio(self) -> None:
        config = {"StudioLifecycleConfigAppType": "JupyterLab", "StudioLifecycleConfigContent": "IyEvYmluL3No"}
        answer = self.call("CreateStudioLifecycleConfig", StudioLifecycleConfigName="s", **config, Tags=TAGS)
        arn = answer["StudioLifecycleConfigArn"]
        self.call("DescribeStudioLifecycleConfig", StudioLifecycleConfigName="s")
        lab = {
            "JupyterLabAppSettings": {"DefaultResourceSpec": {"LifecycleConfigArn": arn}, "LifecycleConfigArns": [arn]}
        }
        sizes = {"DefaultEbsVolumeSizeInGb": 5, "MaximumEbsVolumeSizeInGb": 9}
        storage = {"SpaceStorageSettings": {"DefaultEbsStorageSettings": sizes}}
        settings = {"ExecutionRole": ROLE, **lab, **storage}
        both = {"DefaultUserSettings": settings, "DefaultSpaceSettings": settings}
        domain = self.call("CreateDomain", DomainName="d", AuthMode="IAM", **both, Tags=TAGS)["DomainId"]
        profile = {"DomainId": domain, "UserProfileName": "p"}
        self.call("CreateUserProfile", **profile, UserSettings=settings, Tags=TAGS)
        self.call("CreateUserProfile", DomainId=domain, UserProfileName="q")
        self.call("DescribeDomain", DomainId=domain)
        self.call("DescribeUserProfile", **profile)
        self._space(domain, "p", "Private", arn)
        self._space(domain, "q", "Private", arn)
        self._space(domain, "p", "Shared", arn)
        self.call("UpdateUserProfile", DomainId=domain, UserProfileName="q", UserSettings=settings)
        self._space(domain, "q", "Private", arn, gone=False)

    def _space(self, domain: str, owner: str, sharing: str, config: str, *, gone: bool = True) -> None:
        named = {"DomainId": domain, "SpaceName": f"{owner}-{sharing}"}
        owned = {"OwnershipSettings": {"OwnerUserProfileName": owner}, "SpaceSharingSettings": {"SharingType": sharing}}
        spec = {"LifecycleConfigArn": config}
        sized = {"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 6}}}
        settings = {"JupyterLabAppSettings": {"DefaultResourceSpec": spec}, **sized}
        self.call("CreateSpace", **named, **owned, SpaceSettings=settings, Tags=TAGS)
        self.call("UpdateSpace", **named, SpaceSettings=settings)
        self.call("DescribeSpace", **named)
        app = {**named, "AppType": "JupyterLab", "AppName": "default"}
        self.call("CreateApp", **app, ResourceSpec=spec, Tags=TAGS)
        self._app(app, "InService")
        self.call("ListApps")
        self.call("DeleteApp", **app)
        self._app(app, "Deleted")
        if gone:
            self.call("DeleteSpace", **named)

    def _app(self, app: dict[str, Any], status: str) -> None:
        until(lambda: bool(self.call("DescribeApp", **app)["Status"] == status))

    def _tags(self) -> None:
        arn = f"{PREFIX}feature-group/g"
        self.call("AddTags", ResourceArn=arn, Tags=TAGS)
        self.call("ListTags", ResourceArn=arn, MaxResults=50, NextToken="0")
        self.call("DeleteTags", ResourceArn=arn, TagKeys=["a"])

    def _lists(self) -> None:
        for handlers in (self._sagemaker.handlers, self._world.operations):
            for operation in (name for name in handlers if name.startswith("List") and name != "ListTags"):
                self._list(operation)

    def _list(self, operation: str) -> None:
        """Ask for a list with all its members; of values that exclude each other one after the other."""
        arn = self._world.cloud.store.all("PipelineExecution")[0]["PipelineExecutionArn"]
        needed = {"PipelineName": "Abalone", "PipelineExecutionArn": arn, "ModelPackageGroupName": "g"}
        shape, call = input_shape(operation), self._world.call if "Pipeline" in operation else self.call
        always = {name: value for name, value in needed.items() if name in shape.members}
        special = {**always, "NextToken": "0", "TrainingPlanArnEquals": f"{PREFIX}training-plan/p"}
        for name, member in shape.members.items():
            call(operation, **{name: special[name] if name in special else sample(member), **always})

    def _ends(self) -> None:
        self.call("DeleteModelPackage", ModelPackageName=f"{PREFIX}model-package/g/1")
        self.call("DeleteEndpointConfig", EndpointConfigName="two")
        self.call("DeleteModel", ModelName="p-raw")
        self.call("DeleteFeatureGroup", FeatureGroupName="g")
        self.call("DeleteNotebookInstance", NotebookInstanceName="n")
        self.call("CreateNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="gone")
        self.call("DeleteNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="gone")
        [space] = self.call("ListSpaces")["Spaces"]
        domain = {"DomainId": space["DomainId"]}
        self.call("DeleteSpace", **domain, SpaceName=space["SpaceName"])
        for name in ("p", "q"):
            self.call("DeleteUserProfile", **domain, UserProfileName=name)
        self.call("DeleteDomain", **domain)
        self.call("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="s")
        self._world.call("DeletePipeline", PipelineName="Other", ClientRequestToken=self._world.token())

    def kept(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Yield operations that keep members: the request with all of them, and what Describe shows of it."""
        cluster = {"ClusterConfig": {"InstanceType": "ml.m5.large"}}
        job = training()
        del job["TrainingJobArn"]
        features = {"FeatureDefinitions": [{"FeatureName": name, "FeatureType": "String"} for name in ("id", "at")]}
        text = json.dumps(document(invoke("a")))
        token = {"ClientRequestToken": self._world.token()}
        group = {"ModelPackageGroupName": "k"}
        on_instances = variant("a", ModelName="k1", ServerlessConfig=None)
        alone = {"ShadowProductionVariants": None}
        shadows = {"ShadowProductionVariants": [variant("b", ModelName="k1", ServerlessConfig=None)]}
        serverless = {"VariantName": "a", "ModelName": "k1", "ServerlessConfig": {"MemorySizeInMB": 1024}}
        specified = {"Containers": [RAW]}
        packages = {
            "InferenceSpecification": specified,
            "AdditionalInferenceSpecifications": [{"Name": "m", **specified}],
        }
        added = "AdditionalInferenceSpecificationsToAdd"
        updates = {"InferenceSpecification": specified, added: [{"Name": "n", **specified}]}
        bases: list[tuple[str, dict[str, Any]]] = [
            ("CreateModel", {"ModelName": "k1", "PrimaryContainer": RAW, "Containers": None, "ExecutionRoleArn": ROLE}),
            (
                "CreateModel",
                {"ModelName": "k2", "Containers": [RAW], "PrimaryContainer": None, "ExecutionRoleArn": ROLE},
            ),
            ("CreateEndpointConfig", {"EndpointConfigName": "k", "ProductionVariants": [on_instances], **shadows}),
            ("CreateEndpointConfig", {"EndpointConfigName": "s", "ProductionVariants": [serverless], **alone}),
            ("CreateModelPackageGroup", group),
            ("CreateModelPackage", {**group, **packages}),
            ("UpdateModelPackage", {"ModelPackageArn": f"{PREFIX}model-package/k/1", **updates}),
            (
                "CreateTrainingJob",
                {**job, "TrainingJobName": "k", "InputDataConfig": [channel("a", "s3://models/raw/")]},
            ),
            ("CreateTransformJob", {**transform(TransformJobName="k"), "ModelName": "k1"}),
            ("CreateProcessingJob", {"ProcessingJobName": "k", "ProcessingResources": cluster, "RoleArn": ROLE}),
            ("CreateFeatureGroup", {"FeatureGroupName": "k", "RoleArn": ROLE, **features}),
            ("CreateNotebookInstance", {"NotebookInstanceName": "k", "RoleArn": ROLE}),
            ("UpdateNotebookInstance", {"NotebookInstanceName": self._left("l")}),
            ("CreatePipeline", {"PipelineName": "K", "PipelineDefinition": text, "RoleArn": ROLE, **token}),
            ("UpdatePipeline", {"PipelineName": "K"}),
            ("StartPipelineExecution", {"PipelineName": "K", **token}),
        ]
        for operation, base in bases:
            request = merged(kept_sample(input_shape(operation), operation), {**_MORE.get(operation, {}), **base})
            yield operation, request, self._shown(operation, request)
        yield from self._kept_by_studio()

    def _kept_by_studio(self) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Yield the same of Studio's operations, each of which needs what the one before has made."""
        role = {"ExecutionRole": ROLE}
        domain = {"DomainName": "k", "AuthMode": "IAM", "DefaultUserSettings": role, "DefaultSpaceSettings": role}
        request = merged(kept_sample(input_shape("CreateDomain"), "CreateDomain"), domain)
        made = {"DomainId": self.call("CreateDomain", **request)["DomainId"], "UserProfileName": "k", "SpaceName": "k"}
        made |= {"AppType": "JupyterLab", "AppName": "default"}
        yield "CreateDomain", request, self.call("DescribeDomain", DomainId=made["DomainId"])
        for operation in ("CreateUserProfile", "UpdateUserProfile", "CreateSpace", "UpdateSpace", "CreateApp"):
            kind = re.sub("^(Create|Update)", "", operation)
            named = {name: made[name] for name in made if name in input_shape(f"Describe{kind}").members}
            if kind == "App":
                del named["UserProfileName"]  # an app is a space's
            request = kept_sample(input_shape(operation), operation) | named
            self.call(operation, **request)
            yield operation, request, self.call(f"Describe{kind}", **named)

    def _left(self, name: str) -> str:
        """Leave an instance behind, which is at rest."""
        request = {"NotebookInstanceName": name, "InstanceType": "ml.m5.xlarge", "RoleArn": ROLE}
        leave_behind(self._sagemaker.cloud.folder, request)
        return name

    def _shown(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        call = self._world.call if "Pipeline" in operation else self.call
        answer = call(operation, **request)
        kind = re.sub("^(Create|Update|Start)", "", operation)
        name = answer.get(f"{kind}Arn") if kind in ("ModelPackage", "PipelineExecution") else request[f"{kind}Name"]
        member = "PipelineExecutionArn" if kind == "PipelineExecution" else f"{kind}Name"
        shown = dict(call(f"Describe{kind}", **{member: name}))
        # What an update adds goes by another name, after what there was.
        return shown | {
            "AdditionalInferenceSpecificationsToAdd": shown.get("AdditionalInferenceSpecifications", [])[1:]
        }


def tried(call: Callable[[], Any]) -> None:
    """Make a call that may come too late."""
    with suppress(ApiError):
        call()


def sample(shape: Any) -> Any:
    """Return some value of a shape that the service takes."""
    if shape.type_name == "structure":
        return {name: sample(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member)]
    if shape.type_name == "map":
        return {sample(shape.key): sample(shape.value)}
    if shape.type_name == "string":
        texts = list(shape.enum) or _TEXTS
        return next(text for text in texts if not problems(shape, text))
    if shape.type_name == "timestamp":
        return 1.0
    return True if shape.type_name == "boolean" else max(shape.metadata.get("min", 1), 1)


def kept_sample(shape: Any, path: str) -> Any:
    """Return a value of a shape with its kept members alone, and None where there is none."""
    if found(path, tuple(REFUSED)):
        return None
    if found(path, KEPT):
        return sample(shape)
    if shape.type_name == "structure":
        members = {name: kept_sample(member, f"{path}.{name}") for name, member in shape.members.items()}
        return {name: value for name, value in members.items() if value is not None} or None
    if shape.type_name == "list":
        inner = kept_sample(shape.member, path)
        return None if inner is None else [inner]
    return None


def merged(first: Any, second: Any) -> Any:
    """Return both; where both have a value, the second's; where the second has None, neither's."""
    if isinstance(first, dict) and isinstance(second, dict):
        both = {name: merged(first.get(name), second.get(name, first.get(name))) for name in {**first, **second}}
        return {name: value for name, value in both.items() if second.get(name, True) is not None}
    if isinstance(first, list) and isinstance(second, list) and first and second:
        return [merged(first[0], item) for item in second]
    return second
