"""The types of resources that there are: one row each.

The rows are what differs between the published resource schemas (as of cfn-lint 1.53) and botocore's requests; a test
holds the two beside each other. What `Ref` and `Fn::GetAtt` return is from the "Return values" of each type in the
CloudFormation Template Reference.
"""

from collections.abc import Iterable
from typing import Any

from botocore.model import Shape

from sagemaker_local.core.shapes import service_model
from sagemaker_local.stacks import conversions
from sagemaker_local.stacks.model import ResourceType, Status


def _of(operation: str, members: Iterable[str]) -> dict[str, Shape]:
    """Return the shapes of some members of an operation's request."""
    shape: Any = service_model("sagemaker").operation_model(operation).input_shape
    return {name: shape.members[name] for name in members}


_DATA = frozenset({"ETag", "ManifestEtag", "ManifestS3Uri"})
_VARIANT = {
    "ProductionVariant": frozenset({"AcceleratorType", "CoreDumpConfig"}),
    "ProductionVariantManagedInstanceScaling": frozenset({"ScaleInPolicy"}),
    "ProductionVariantRoutingConfig": frozenset({"PrefixAwareRoutingConfig"}),
}
_PACKAGE_LACKS = {
    "CreateModelPackageInput": frozenset({"ManagedStorageType", "ModelLifeCycle", "ModelPackageRegistrationType"}),
    "ModelPackageContainerDefinition": frozenset(
        {
            "AdditionalModelDataSources",
            "AdditionalS3DataSource",
            "BaseModel",
            "IsCheckpoint",
            "ModelDataETag",
            "ProductId",
        }
    ),
    "S3ModelDataSource": _DATA | {"HubAccessConfig"},
    "SourceAlgorithm": frozenset({"ModelDataETag", "ModelDataSource"}),
    "TransformResources": frozenset({"TransformAmiVersion"}),
}
_PACKAGE_REQUIRES = {
    "InferenceSpecification": frozenset({"Containers", "SupportedContentTypes", "SupportedResponseMIMETypes"}),
    "ModelPackageContainerDefinition": frozenset({"Image"}),
    "ModelPackageModelCard": frozenset({"ModelCardContent", "ModelCardStatus"}),
}

MODEL = ResourceType(
    kind="Model",
    reference="ModelArn",
    attributes={"ModelName": "ModelName", "ModelArn": "ModelArn"},
    replacing=frozenset(
        {
            "Containers",
            "EnableNetworkIsolation",
            "ExecutionRoleArn",
            "InferenceExecutionConfig",
            "ModelName",
            "PrimaryContainer",
            "VpcConfig",
        }
    ),
    lacks={
        "ContainerDefinition": frozenset({"AdditionalModelDataSources", "ContainerMetricsConfig"}),
        "S3ModelDataSource": _DATA,
    },
    requires={"CreateModelInput": frozenset(), "ModelDataSource": frozenset({"S3DataSource"})},
)

ENDPOINT_CONFIG = ResourceType(
    kind="EndpointConfig",
    reference="EndpointConfigArn",
    attributes={"EndpointConfigName": "EndpointConfigName", "Id": "EndpointConfigArn"},
    replacing=frozenset(
        {
            "AsyncInferenceConfig",
            "DataCaptureConfig",
            "EnableNetworkIsolation",
            "EndpointConfigName",
            "ExecutionRoleArn",
            "ExplainerConfig",
            "KmsKeyId",
            "ProductionVariants",
            "ShadowProductionVariants",
            "VpcConfig",
        }
    ),
    lacks={"CreateEndpointConfigInput": frozenset({"MetricsConfig"}), **_VARIANT},
    requires={
        "CreateEndpointConfigInput": frozenset({"ProductionVariants"}),
        "ProductionVariantRoutingConfig": frozenset(),
    },
)

_RETAINING = frozenset({"ExcludeRetainedVariantProperties", "RetainAllVariantProperties", "RetainDeploymentConfig"})
ENDPOINT = ResourceType(
    kind="Endpoint",
    reference="EndpointArn",
    attributes={"EndpointName": "EndpointName", "EndpointArn": "EndpointArn"},
    replacing=frozenset({"EndpointName"}),
    requires={
        "CreateEndpointInput": frozenset({"EndpointConfigName"}),
        "TrafficRoutingConfig": frozenset({"Type"}),
        "AutoRollbackConfig": frozenset({"Alarms"}),
        "Alarm": frozenset({"AlarmName"}),
        "VariantProperty": frozenset(),
    },
    own=_of("UpdateEndpoint", _RETAINING),
    about_updates=_RETAINING | {"DeploymentConfig"},
    status=Status("EndpointStatus", frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})),
)

MODEL_PACKAGE_GROUP = ResourceType(
    kind="ModelPackageGroup",
    reference="ModelPackageGroupArn",
    attributes={
        "CreationTime": "CreationTime",
        "ModelPackageGroupArn": "ModelPackageGroupArn",
        "ModelPackageGroupStatus": "ModelPackageGroupStatus",
    },
    replacing=frozenset({"ModelPackageGroupName", "ModelPackageGroupDescription"}),
    lacks={"CreateModelPackageGroupInput": frozenset({"ManagedConfiguration"})},
    not_emulated=frozenset({"ModelPackageGroupPolicy"}),
)

_AFTERWARDS = frozenset({"AdditionalInferenceSpecificationsToAdd", "ApprovalDescription"})
MODEL_PACKAGE = ResourceType(
    kind="ModelPackage",
    reference="ModelPackageArn",
    attributes={
        "CreationTime": "CreationTime",
        "LastModifiedTime": "LastModifiedTime",
        "ModelPackageArn": "ModelPackageArn",
        "ModelPackageStatus": "ModelPackageStatus",
    },
    replacing=frozenset(
        {
            "ClientToken",
            "Domain",
            "DriftCheckBaselines",
            "InferenceSpecification",
            "MetadataProperties",
            "ModelMetrics",
            "ModelPackageDescription",
            "ModelPackageGroupName",
            "SamplePayloadUrl",
            "SecurityConfig",
            "SourceAlgorithmSpecification",
            "Task",
            "ValidationSpecification",
        }
    ),
    perhaps_replacing=frozenset({"ModelCard", "SourceUri"}),
    named=False,
    update_by="ModelPackageArn",
    lacks=_PACKAGE_LACKS,
    requires=_PACKAGE_REQUIRES,
    own=_of("UpdateModelPackage", _AFTERWARDS),
    not_emulated=frozenset({"ModelPackageStatusDetails", "ModelPackageVersion"}),
    change=conversions.changed_package,
    set_afterwards=_AFTERWARDS,
    # A version of a group has its group's tags, and CreateModelPackage refuses others.
    stack_tags=False,
)

PIPELINE = ResourceType(
    kind="Pipeline",
    reference="PipelineName",
    replacing=frozenset({"PipelineName"}),
    lacks={"CreatePipelineRequest": frozenset({"ClientRequestToken", "PipelineDefinitionS3Location"})},
    requires={"CreatePipelineRequest": frozenset({"PipelineDefinition", "PipelineName", "RoleArn"})},
    own={"PipelineDefinition": conversions.PIPELINE_DEFINITION},
    creation=conversions.pipeline_request,
    change=conversions.changed_pipeline,
    described=conversions.pipeline_properties,
)

FEATURE_GROUP = ResourceType(
    kind="FeatureGroup",
    reference="FeatureGroupName",
    attributes={"CreationTime": "CreationTime", "FeatureGroupStatus": "FeatureGroupStatus"},
    replacing=frozenset(
        {
            "Description",
            "EventTimeFeatureName",
            "FeatureGroupName",
            "OfflineStoreConfig",
            "RecordIdentifierFeatureName",
            "RoleArn",
            "Tags",
        }
    ),
    perhaps_replacing=frozenset({"OnlineStoreConfig"}),
    needs_another=conversions.needs_another_store,
    lacks={
        "FeatureDefinition": frozenset({"CollectionConfig", "CollectionType"}),
        "S3StorageConfig": frozenset({"ResolvedOutputS3Uri"}),
    },
    change=conversions.changed_features,
    changed_by=frozenset({"FeatureDefinitions"}),
    status=Status("FeatureGroupStatus", frozenset({"Creating", "Deleting"})),
)

NOTEBOOK = ResourceType(
    kind="NotebookInstance",
    reference="NotebookInstanceArn",
    attributes={"Id": "NotebookInstanceArn", "NotebookInstanceName": "NotebookInstanceName"},
    replacing=frozenset(
        {
            "DirectInternetAccess",
            "KmsKeyId",
            "NotebookInstanceName",
            "PlatformIdentifier",
            "SecurityGroupIds",
            "SubnetId",
        }
    ),
    lacks={"CreateNotebookInstanceInput": frozenset({"IpAddressType"})},
    requires={"CreateNotebookInstanceInput": frozenset({"InstanceType", "RoleArn"})},
    change=conversions.changed_notebook,
    described=conversions.notebook_properties,
    status=Status("NotebookInstanceStatus", frozenset({"Pending", "Stopping", "Updating", "Deleting"})),
    at_rest=True,
)

LIFECYCLE_CONFIG = ResourceType(
    kind="NotebookInstanceLifecycleConfig",
    reference="NotebookInstanceLifecycleConfigArn",
    attributes={
        "Id": "NotebookInstanceLifecycleConfigArn",
        "NotebookInstanceLifecycleConfigName": "NotebookInstanceLifecycleConfigName",
    },
    replacing=frozenset({"NotebookInstanceLifecycleConfigName"}),
    lacks={"CreateNotebookInstanceLifecycleConfigInput": frozenset({"Tags"})},
    requires={"CreateNotebookInstanceLifecycleConfigInput": frozenset()},
    change=conversions.changed_scripts,
    stack_tags=False,
)

STUDIO_CONFIG = ResourceType(
    kind="StudioLifecycleConfig",
    reference="StudioLifecycleConfigName",
    attributes={"StudioLifecycleConfigArn": "StudioLifecycleConfigArn"},
    replacing=frozenset(
        {"StudioLifecycleConfigAppType", "StudioLifecycleConfigContent", "StudioLifecycleConfigName", "Tags"}
    ),
)

TYPES = (
    MODEL,
    ENDPOINT_CONFIG,
    ENDPOINT,
    MODEL_PACKAGE_GROUP,
    MODEL_PACKAGE,
    PIPELINE,
    FEATURE_GROUP,
    NOTEBOOK,
    LIFECYCLE_CONFIG,
    STUDIO_CONFIG,
)
