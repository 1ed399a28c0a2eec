"""What the cloud does with the members of Studio's requests: those that `members` puts to its tables."""

from collections.abc import Mapping

_LAB = "only apps of type JupyterLab are here"
_NO_FILES = "only the space's own volume is here"
_OTHER_APPS = (
    "JupyterServer",
    "KernelGateway",
    "DetailedProfiler",
    "TensorBoard",
    "CodeEditor",
    "RStudioServerPro",
    "RSessionGateway",
    "Canvas",
)

REFUSED: Mapping[str, str] = {
    **{f"*.AppType={name}": _LAB for name in _OTHER_APPS},
    "*.JupyterServerAppSettings": _LAB,
    "*.KernelGatewayAppSettings": _LAB,
    "*.TensorBoardAppSettings": _LAB,
    "*.RStudioServerProAppSettings": _LAB,
    "*.RSessionAppSettings": _LAB,
    "*.CanvasAppSettings": _LAB,
    "*.CodeEditorAppSettings": _LAB,
    "*.JupyterLabAppSettings.CustomImages": "an app runs with this machine's programs",
    "*.JupyterLabAppSettings.CodeRepositories": "clone it in a lifecycle script",
    "*.JupyterLabAppSettings.AppLifecycleManagement": "delete the app when it is idle",
    "*.JupyterLabAppSettings.EmrSettings": "",
    "*.JupyterLabAppSettings.BuiltInLifecycleConfigArn": "name it in LifecycleConfigArns",
    "*.CustomPosixUserConfig": "the user is sagemaker-user",
    "*.CustomFileSystem*": _NO_FILES,
    "*.AutoMountHomeEFS=Enabled": _NO_FILES,
    "*.AutoMountHomeEFS=DefaultAsDomain": _NO_FILES,
    "*.SharingSettings": "put the file into a bucket",
    "*.StudioWebPortalSettings": "there is no portal",
    "*.SpaceManagedResources=ENABLED": "",
    "*.RemoteAccess=ENABLED": "",
    "*Domain.AuthMode=SSO": "use IAM",
    "*Domain.DomainSettings": "",
    "*Domain.TagPropagation=ENABLED": "tag each resource",
    "*Domain.HomeEfsFileSystemKmsKeyId": _NO_FILES,
    "*Domain.HomeEfsFileSystemCreation=Enabled": _NO_FILES,
    "*Domain.RetentionPolicy.HomeEfsFileSystem=Retain": _NO_FILES,
    "*UserProfile.SingleSignOn*": "people are their AWS identities here",
    "*App.UserProfileName": "give a SpaceName",
    "CreateApp.RecoveryMode": "create it without LifecycleConfigArn",
    "CreateApp.ResourceSpec.TrainingPlanArn": "leave it out: nothing is reserved here",
    "*.JupyterLabAppSettings.DefaultResourceSpec.TrainingPlanArn": "leave it out: nothing is reserved here",
}

KEPT: tuple[str, ...] = (
    "*.DefaultUserSettings.SecurityGroups",
    "*.UserSettings.SecurityGroups",
    "*.DefaultSpaceSettings.SecurityGroups",
    "*UserSettings.DefaultLandingUri",
    "*UserSettings.StudioWebPortal",
    "*ResourceSpec.InstanceType",
    "*ResourceSpec.SageMakerImage*",
    "CreateDomain.AppNetworkAccessType",
    "CreateDomain.AppSecurityGroupManagement",
    "CreateDomain.KmsKeyId",
    "CreateDomain.SubnetIds",
    "CreateDomain.VpcId",
    "*Space.SpaceDisplayName",
)
