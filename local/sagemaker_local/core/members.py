"""What the cloud does with each member of a request: nothing that it takes is ignored.

Every member of every operation that is answered here is in exactly one of three places. `REFUSED` names those that are
not emulated, with a way out where there is one; `KEPT` names those that Describe shows and that have no effect that one
machine could show (instances, their volumes and networks, what a registry only keeps); every other member is honoured:
a handler reads it. A test derives all members from botocore's model and sees what the handlers read.

A path is the operation and the members down to the one that is meant, and stands for all that is below it. `*` stands
for any number of operations and members, `=value` for that value of the member alone.
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import translate
from functools import cache
from typing import Any

from sagemaker_local.core import studio_members
from sagemaker_local.core.errors import invalid
from sagemaker_local.core.shapes import service_model

_ONE_MODEL = "put everything into one ModelDataUrl"
_ONE_INSTANCE = "name one InstanceType"
_ONE_CONTAINER = "an endpoint here has one container"
_COMPONENTS = "inference components are not emulated: give each variant a ModelName"
_NO_EXPERIMENTS = "leave it out; experiments are not emulated"
_FILES = "use File or FastFile"
_NO_REGISTRY = "push the image to ECR"
_READ_LOG = "read its log in CloudWatch Logs"

REFUSED: Mapping[str, str] = {
    # Data of models: one archive, or the objects under one prefix.
    "*.HubAccessConfig": "give the S3Uri of your own copy",
    "*.ManifestS3Uri": "give the S3Uri",
    "*DataSource.ETag": "leave it out: the object is taken as it is",
    "*DataSource.ManifestEtag": "leave it out: the object is taken as it is",
    "*.AdditionalModelDataSources": _ONE_MODEL,
    "*.AdditionalS3DataSource": _ONE_MODEL,
    # Containers.
    "CreateModel.*ImageConfig.RepositoryAccessMode=Vpc": _NO_REGISTRY,
    "CreateModel.*ImageConfig.RepositoryAuthConfig": _NO_REGISTRY,
    "CreateModel.*ContainerMetricsConfig": "read the endpoint's metrics in AWS/SageMaker",
    "CreateModel.InferenceExecutionConfig.Mode=Direct": _ONE_CONTAINER,
    # Endpoints.
    "CreateEndpointConfig.*InstancePools": _ONE_INSTANCE,
    "CreateEndpointConfig.*VariantInstanceProvisionTimeoutInSeconds": _ONE_INSTANCE,
    "CreateEndpointConfig.*CoreDumpConfig": _READ_LOG,
    "CreateEndpointConfig.*EnableSSMAccess": _READ_LOG,
    "CreateEndpointConfig.*ManagedInstanceScaling": "set counts with UpdateEndpointWeightsAndCapacities",
    "CreateEndpointConfig.*PrefixAwareRoutingConfig": "leave it out: a variant has one server",
    "CreateEndpointConfig.*CapacityReservationConfig": "leave it out: nothing is reserved here",
    "CreateEndpointConfig.ExplainerConfig": "",
    "CreateEndpointConfig.ExecutionRoleArn": _COMPONENTS,
    "CreateEndpointConfig.VpcConfig": _COMPONENTS,
    "CreateEndpointConfig.EnableNetworkIsolation": _COMPONENTS,
    "CreateEndpointConfig.MetricsConfig": "read the endpoint's metrics in AWS/SageMaker",
    "CreateEndpointConfig.ShadowProductionVariants.ServerlessConfig": "give the shadow an InstanceType",
    "CreateEndpointConfig.AsyncInferenceConfig.*.IncludeInferenceResponseIn": "read the answer at its outputLocation",
    "*Endpoint.DeploymentConfig.RollingUpdatePolicy.RollbackMaximumBatchSize": "a rollback moves everything at once",
    "UpdateEndpoint.ExcludeRetainedVariantProperties.VariantPropertyType=DataCaptureConfig": (
        "the new configuration's own counts"
    ),
    "InvokeEndpoint*.EnableExplanations": "",
    "InvokeEndpoint*.InferenceComponentName": "name the endpoint's variant in TargetVariant",
    "InvokeEndpoint*.TargetContainerHostname": _ONE_CONTAINER,
    "InvokeEndpoint*.PrefixAwareId": "leave it out: a variant has one server",
    # Jobs.
    "*Job.ExperimentConfig": _NO_EXPERIMENTS,
    "*Job.*.InstancePreferences": _ONE_INSTANCE,
    "*Job.*.SelectedInstanceType": "SageMaker says it, not the caller",
    "*Job.*.SelectedInstanceCount": "SageMaker says it, not the caller",
    "CreateProcessingJob.ProcessingInputs.DatasetDefinition": "give an S3Input",
    "CreateProcessingJob.ProcessingInputs.AppManaged": "give an S3Input",
    "CreateProcessingJob.ProcessingInputs.S3Input.S3InputMode=Pipe": "use File",
    "CreateProcessingJob.ProcessingOutputConfig.Outputs.FeatureStoreOutput": "put the records with PutRecord",
    "CreateProcessingJob.ProcessingOutputConfig.Outputs.AppManaged": "give an S3Output",
    "CreateProcessingJob.ProcessingOutputConfig.Outputs.S3Output.S3UploadMode=Continuous": "use EndOfJob",
    "CreateTrainingJob.AlgorithmSpecification.AlgorithmName": "give a TrainingImage",
    "CreateTrainingJob.AlgorithmSpecification.TrainingInputMode=Pipe": _FILES,
    "CreateTrainingJob.AlgorithmSpecification.TrainingImageConfig.TrainingRepositoryAccessMode=Vpc": _NO_REGISTRY,
    "CreateTrainingJob.AlgorithmSpecification.TrainingImageConfig.TrainingRepositoryAuthConfig": _NO_REGISTRY,
    "CreateTrainingJob.InputDataConfig.DataSource.FileSystemDataSource": "give an S3DataSource",
    "CreateTrainingJob.InputDataConfig.DataSource.DatasetSource": "give an S3DataSource",
    "CreateTrainingJob.InputDataConfig.DataSource.S3DataSource.AttributeNames": "augmented manifests are not emulated",
    "CreateTrainingJob.InputDataConfig.DataSource.S3DataSource.InstanceGroupNames": _ONE_INSTANCE,
    "CreateTrainingJob.InputDataConfig.DataSource.S3DataSource.S3DataType=AugmentedManifestFile": "use ManifestFile",
    "CreateTrainingJob.InputDataConfig.DataSource.S3DataSource.S3DataType=Converse": "use S3Prefix",
    "CreateTrainingJob.InputDataConfig.RecordWrapperType=RecordIO": "write the records so yourself",
    "CreateTrainingJob.InputDataConfig.InputMode=Pipe": _FILES,
    "CreateTrainingJob.InputDataConfig.ShuffleConfig": "shuffle in the program",
    "CreateTrainingJob.ResourceConfig.KeepAlivePeriodInSeconds": "leave it out: warm pools are not emulated",
    "CreateTrainingJob.ResourceConfig.InstanceGroups": _ONE_INSTANCE,
    "CreateTrainingJob.ResourceConfig.TrainingPlanArn": "leave it out: nothing is reserved here",
    "CreateTrainingJob.ResourceConfig.InstancePlacementConfig": "leave it out: one process runs here",
    "CreateTrainingJob.DebugRuleConfigurations": "leave it out: rules do not run here",
    "CreateTrainingJob.ProfilerRuleConfigurations": "leave it out: rules do not run here",
    "CreateTrainingJob.TensorBoardOutputConfig": "write below the CheckpointConfig's LocalPath",
    "CreateTrainingJob.RemoteDebugConfig": _READ_LOG,
    "CreateTrainingJob.SessionChainingConfig": "leave it out",
    "CreateTrainingJob.ServerlessJobConfig": "give an AlgorithmSpecification and a ResourceConfig",
    "CreateTrainingJob.MlflowConfig": "leave it out",
    "CreateTrainingJob.ModelPackageConfig": "register with CreateModelPackage",
    "CreateTransformJob.DataCaptureConfig": "capture at an endpoint, or join the input with DataProcessing",
    "CreateTransformJob.TransformInput.SplitType=RecordIO": "use Line or None",
    "CreateTransformJob.TransformInput.SplitType=TFRecord": "use Line or None",
    "CreateTransformJob.TransformInput.DataSource.S3DataSource.S3DataType=AugmentedManifestFile": "use ManifestFile",
    "CreateTransformJob.TransformInput.DataSource.S3DataSource.S3DataType=Converse": "use S3Prefix",
    # The registry.
    "CreateModelPackage.ValidationSpecification": "transform the test data before you register",
    "CreateModelPackage.SourceAlgorithmSpecification": "give an InferenceSpecification",
    "CreateModelPackage.CertifyForMarketplace": "leave it out",
    "DescribeModelPackage.IncludedData=MetadataOnly": "leave it out: the whole package is shown",
    # Pipelines.
    "StartPipelineExecution.SelectiveExecutionConfig": "cached steps (CacheConfig) are not run again",
    "StartPipelineExecution.MlflowExperimentName": "leave it out",
    # The Feature Store.
    "CreateFeatureGroup.FeatureDefinitions.CollectionType": "give each value a feature of its own",
    "CreateFeatureGroup.FeatureDefinitions.CollectionConfig": "give each value a feature of its own",
    "CreateFeatureGroup.OnlineStoreConfig.StorageType=InMemory": "use Standard",
    "CreateFeatureGroup.OfflineStoreConfig.S3StorageConfig.ResolvedOutputS3Uri": "SageMaker says it, not the caller",
    "CreateFeatureGroup.OfflineStoreConfig.TableFormat=Iceberg": "use Glue",
    "UpdateFeatureGroup.FeatureAdditions.CollectionType": "give each value a feature of its own",
    "UpdateFeatureGroup.FeatureAdditions.CollectionConfig": "give each value a feature of its own",
    "UpdateFeatureGroup.OnlineStoreConfig.StorageType": "make the group with the StorageType that it needs",
    "UpdateFeatureGroup.ThroughputConfig": "make the group with the ThroughputConfig that it needs",
    "DescribeFeatureGroup.NextToken": "leave it out: all features are in the first answer",
    "*Record.ValueAsStringList": "give each value a feature of its own",
    # Notebook instances.
    "*NotebookInstance.AcceleratorTypes": "leave it out: Elastic Inference is no longer available",
    "*NotebookInstance.DisassociateAcceleratorTypes": "leave it out: no instance has any",
    "*NotebookInstance.*CodeRepositor*": "clone it in a lifecycle script",
    **studio_members.REFUSED,
    # CodeCommit.
    "CreateCommit.putFiles.sourceFile": "give the fileContent",
    "CreateCommit.setFileModes": "put the file with its fileMode",
    "CreateCommit.keepEmptyFolders": "put a .gitkeep",
}

KEPT: tuple[str, ...] = (
    # Instances, what is attached to them, and where they stand.
    "Create*Config.*AcceleratorType",
    "Create*Config.*VolumeSizeInGB",
    "Create*Config.*InferenceAmiVersion",
    "Create*Config.*ModelDataDownloadTimeoutInSeconds",
    "Create*Config.*ServerlessConfig.MaxConcurrency",
    "Create*Config.*ServerlessConfig.ProvisionedConcurrency",
    "Create*Config.*RoutingConfig.RoutingStrategy",
    "CreateEndpointConfig.KmsKeyId",
    "CreateModel.VpcConfig",
    "Create*Job.VpcConfig",
    "Create*Job.NetworkConfig.VpcConfig",
    "Create*Job*.EnableInterContainerTrafficEncryption",
    "Create*Job.*.InstanceCount",
    "Create*Job.*.VolumeSizeInGB",
    "Create*Job.*.VolumeKmsKeyId",
    "Create*Job.*.TransformAmiVersion",
    "Create*Job.*.S3DataDistributionType",
    "CreateProcessingJob.ProcessingInputs.InputName",
    "CreateProcessingJob.ProcessingOutputConfig.Outputs.OutputName",
    "CreateTrainingJob.StoppingCondition.MaxPendingTimeInSeconds",
    "CreateTrainingJob.RetryStrategy",
    "CreateTrainingJob.InfraCheckConfig",
    "CreateFeatureGroup.OnlineStoreConfig.SecurityConfig",
    "CreateFeatureGroup.OnlineStoreConfig.StorageType",
    "CreateFeatureGroup.ThroughputConfig",
    # What is asked of images that bring the library for it; here there is none, and nothing is written.
    "CreateTrainingJob.DebugHookConfig",
    "CreateTrainingJob.ProfilerConfig",
    "CreateTrainingJob.AlgorithmSpecification.EnableSageMakerMetricsTimeSeries",
    # Where an image and a licence come from.
    "CreateModel.*ImageConfig.RepositoryAccessMode",
    "CreateTrainingJob.AlgorithmSpecification.TrainingImageConfig.TrainingRepositoryAccessMode",
    "*.ModelAccessConfig",
    "CreateModel.*ContainerHostname",
    "CreateModel.*MultiModelConfig",
    "CreateModel.InferenceExecutionConfig.Mode",
    # The offline store's catalogue.
    "CreateFeatureGroup.OfflineStoreConfig.TableFormat",
    # What people and the registry write down.
    "CreateFeatureGroup.Description",
    "CreateModelPackageGroup.ModelPackageGroupDescription",
    "CreateModelPackageGroup.ManagedConfiguration",
    "*PipelineDisplayName",
    "*PipelineDescription",
    "StartPipelineExecution.PipelineExecution*",
    "*ModelPackage.ModelPackageDescription",
    "*ModelPackage.ModelPackageRegistrationType",
    "*ModelPackage.*InferenceSpecification*.Description",
    "*ModelPackage.*InferenceSpecification*.ContainerHostname",
    "*ModelPackage.*InferenceSpecification*.ProductId",
    "*ModelPackage.Additional*.ImageDigest",
    "*ModelPackage.*InferenceSpecification*.ModelInput",
    "*ModelPackage.*InferenceSpecification*.Framework*",
    "*ModelPackage.*InferenceSpecification*.NearestModelName",
    "*ModelPackage.*InferenceSpecification*.ModelDataETag",
    "*ModelPackage.*InferenceSpecification*.IsCheckpoint",
    "*ModelPackage.*InferenceSpecification*.BaseModel",
    "*ModelPackage.*InferenceSpecification*.SupportedContentTypes",
    "*ModelPackage.*InferenceSpecification*.SupportedResponseMIMETypes",
    "CreateModelPackage.MetadataProperties",
    "CreateModelPackage.ModelMetrics",
    "CreateModelPackage.Domain",
    "CreateModelPackage.Task",
    "CreateModelPackage.SamplePayloadUrl",
    "CreateModelPackage.DriftCheckBaselines",
    "CreateModelPackage.SkipModelValidation",
    "CreateModelPackage.SecurityConfig",
    "CreateModelPackage.ManagedStorageType",
    "*ModelPackage.SourceUri",
    "*ModelPackage.ModelCard",
    "*ModelPackage.ModelLifeCycle",
    "UpdateModelPackage.ApprovalDescription",
    "*NotebookInstance.InstanceType",
    "*NotebookInstance.IpAddressType",
    "*NotebookInstance.RootAccess",
    "*NotebookInstance.VolumeSizeInGB",
    "CreateNotebookInstance.DirectInternetAccess",
    "CreateNotebookInstance.KmsKeyId",
    "CreateNotebookInstance.SubnetId",
    *studio_members.KEPT,
    "CreateRepository.kmsKeyId",
    "UpdateRepositoryEncryptionKey.kmsKeyId",
)


_NAMING = ("Arn", "Name")  # how members end that name a resource
_ARN = re.compile(r"arn:[^:]*:sagemaker:[^:]*:[^:]*:")


@cache
def _expression(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<p{number}>{translate(text)})" for number, text in enumerate(patterns)))


def found(path: str, patterns: tuple[str, ...]) -> str | None:
    """Return the pattern that a path matches; None where there is none."""
    match = _expression(patterns).match(path)
    return patterns[int(str(match.lastgroup)[1:])] if match and match.lastgroup else None


def check(service: str, operation: str, request: Mapping[str, Any], own: str) -> None:
    """Refuse a request that asks for what is not here; `own` begins the ARNs of this region and account.

    Raises:
        ApiError: ValidationException, naming each member.
    """
    refused = [*refusals(service, operation, request), *strangers(service, operation, request, own)]
    if refused:
        raise invalid(" ".join(refused))


def refusals(service: str, operation: str, request: Mapping[str, Any], table: Mapping[str, str] = REFUSED) -> list[str]:
    """Return a sentence for each member of a request that is not emulated, named from the request down."""
    return list(dict.fromkeys(unemulated(_shape(service, operation), request, operation, table)))


def strangers(service: str, operation: str, request: Mapping[str, Any], own: str) -> list[str]:
    """Return a sentence for each resource that a request names by the ARN of another region or account than `own`."""
    named = [(path, value) for path, value in _texts(_shape(service, operation), request) if path.endswith(_NAMING)]
    return [
        f"{path} {value}: nothing of another region or account is here."
        for path, value in named
        if _ARN.match(value) and not value.startswith(own)
    ]


def _shape(service: str, operation: str) -> Any:
    return service_model(service).operation_model(operation).input_shape


def _texts(shape: Any, value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts in a request with their members; what people put into maps is their own."""
    if isinstance(value, str):
        yield path, value
    elif getattr(shape, "type_name", "") == "list":
        for item in value:
            yield from _texts(shape.member, item, path)
    elif getattr(shape, "type_name", "") == "structure" and isinstance(value, Mapping):
        for name in shape.members.keys() & value.keys():
            yield from _texts(shape.members[name], value[name], f"{path}.{name}".removeprefix("."))


def unemulated(shape: Any, value: Any, path: str, table: Mapping[str, str] = REFUSED) -> Iterator[str]:
    """Yield the refusals of `value` at `path`: of a member that asks for something, or of one of its values."""
    rules = tuple(table)
    kind = getattr(shape, "type_name", "")
    if kind == "list" and isinstance(value, list | tuple):
        for item in value:
            yield from unemulated(shape.member, item, path, table)
    elif kind == "structure" and isinstance(value, Mapping):
        for name in shape.members.keys() & value.keys():
            member = f"{path}.{name}"
            if (rule := found(member, rules)) and _asks(value[name]):
                yield _sentence(member, table[rule])
            else:
                yield from unemulated(shape.members[name], value[name], member, table)
    elif isinstance(value, str) and value in getattr(shape, "enum", ()) and (rule := found(f"{path}={value}", rules)):
        yield _sentence(f"{path} {value}", table[rule])


def _asks(value: Any) -> bool:
    """Tell whether a value asks for something: false, 0 and what is empty ask for what a request without it gets."""
    if isinstance(value, Mapping):
        return any(_asks(item) for item in value.values())
    return any(_asks(item) for item in value) if isinstance(value, list | tuple) else bool(value)


def _sentence(path: str, instead: str) -> str:
    _, _, member = path.partition(".")
    return f"{member} is not emulated here" + (f": {instead}." if instead else ".")
