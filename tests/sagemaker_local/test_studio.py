"""Studio's domains, profiles, spaces and lifecycle configurations as the API has them: names, settings, refusals."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.service import PREFIX, ROLE
from tests.sagemaker_local.support.studio import BASH, PRIVATE, Studio

TAGS = [{"Key": "team", "Value": "a"}]


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A service with a domain and a profile."""
    made = Studio(tmp_path)
    yield made
    made.studio.close()


def arn(studio: Studio, kind: str, *names: str) -> str:
    """Return the ARN of something in the domain."""
    return f"{PREFIX}{'/'.join((kind, studio.domain, *names))}"


def storage(default: int, largest: int) -> dict[str, Any]:
    """Return settings of a domain or profile about volumes."""
    sizes = {"DefaultEbsVolumeSizeInGb": default, "MaximumEbsVolumeSizeInGb": largest}
    return {"SpaceStorageSettings": {"DefaultEbsStorageSettings": sizes}}


def test_a_domain_profile_and_space_are_in_service_at_once_under_arns_in_lower_case(studio: Studio) -> None:
    assert studio.make_space() == arn(studio, "space", "lab")
    studio.call("CreateUserProfile", DomainId=studio.domain, UserProfileName="Bob")
    bob = studio.call("DescribeUserProfile", DomainId=studio.domain, UserProfileName="bob")
    domain = studio.call("DescribeDomain", DomainId=studio.domain)
    space = studio.call("DescribeSpace", **studio.space)

    assert [one["Status"] for one in (domain, bob, space)] == ["InService"] * 3
    assert (bob["UserProfileArn"], bob["UserProfileName"]) == (arn(studio, "user-profile", "bob"), "Bob")
    assert domain["Url"] == f"https://{studio.domain}.studio.us-east-1.sagemaker.aws"
    assert space["OwnershipSettings"] == PRIVATE["OwnershipSettings"]


def test_lists_show_what_their_filters_leave(studio: Studio) -> None:
    studio.make_space(7)
    studio.call("CreateUserProfile", DomainId=studio.domain, UserProfileName="bob")
    [space] = studio.call("ListSpaces", DomainIdEquals=studio.domain, SpaceNameContains="LA")["Spaces"]
    profiles = studio.call("ListUserProfiles", UserProfileNameContains="b")["UserProfiles"]

    assert space["SpaceSettingsSummary"]["SpaceStorageSettings"]["EbsStorageSettings"] == {"EbsVolumeSizeInGb": 7}
    assert space["OwnershipSettingsSummary"] == PRIVATE["OwnershipSettings"]
    assert space["SpaceSharingSettingsSummary"] == {"SharingType": "Private"}
    assert [one["UserProfileName"] for one in profiles] == ["bob"]
    assert studio.call("ListSpaces", DomainIdEquals="d-other")["Spaces"] == []
    assert [one["DomainId"] for one in studio.call("ListDomains")["Domains"]] == [studio.domain]


def test_lifecycle_configurations_are_listed_by_type_and_by_time(studio: Studio) -> None:
    studio.script(BASH, "one")
    studio.script(BASH, "two", "CodeEditor")
    listed = studio.call("ListStudioLifecycleConfigs", AppTypeEquals="CodeEditor")["StudioLifecycleConfigs"]
    assert [one["StudioLifecycleConfigName"] for one in listed] == ["two"]
    assert studio.call("ListStudioLifecycleConfigs", ModifiedTimeAfter=4e9)["StudioLifecycleConfigs"] == []


def test_everything_is_tagged_at_its_creation_and_later_by_its_arn_however_that_is_spelled(studio: Studio) -> None:
    made = studio.make_space(Tags=TAGS)
    studio.call("AddTags", ResourceArn=made.replace("lab", "Lab"), Tags=[{"Key": "more", "Value": "b"}])
    studio.call("DeleteTags", ResourceArn=made, TagKeys=["team"])
    assert studio.call("ListTags", ResourceArn=made)["Tags"] == [{"Key": "more", "Value": "b"}]
    for one in (arn(studio, "domain"), arn(studio, "user-profile", "ana"), studio.script(BASH)):
        assert studio.call("AddTags", ResourceArn=one, Tags=TAGS)["Tags"] == TAGS


def test_the_caller_has_to_pass_the_roles_of_a_domain_and_of_a_profile(studio: Studio) -> None:
    studio.access.forbidden.add(("iam:PassRole", "*"))
    role = {"ExecutionRole": ROLE}
    requests: list[tuple[str, dict[str, Any]]] = [
        ("CreateDomain", {"DomainName": "d", "AuthMode": "IAM", "DefaultUserSettings": role}),
        ("CreateUserProfile", {"DomainId": studio.domain, "UserProfileName": "b", "UserSettings": role}),
        ("UpdateUserProfile", {"DomainId": studio.domain, "UserProfileName": "ana", "UserSettings": role}),
    ]
    for operation, request in requests:
        assert studio.refused(operation, **request).startswith("AccessDeniedException")
    assert len(studio.call("ListDomains")["Domains"]) == 1
    assert len(studio.call("ListUserProfiles")["UserProfiles"]) == 1


def test_an_update_of_a_profile_keeps_what_it_does_not_give_and_replaces_lists(studio: Studio) -> None:
    one, two = studio.script(BASH, "one"), studio.script(BASH, "two")
    spec = {"InstanceType": "ml.t3.large"}
    studio.profile(JupyterLabAppSettings={"LifecycleConfigArns": [one], "DefaultResourceSpec": spec})
    studio.profile(JupyterLabAppSettings={"LifecycleConfigArns": [two]}, StudioWebPortal="ENABLED")

    found = studio.call("DescribeUserProfile", DomainId=studio.domain, UserProfileName="ana")["UserSettings"]
    assert found == {
        "JupyterLabAppSettings": {"LifecycleConfigArns": [two], "DefaultResourceSpec": spec},
        "StudioWebPortal": "ENABLED",
    }


def test_settings_name_only_configurations_that_are_there_and_for_jupyterlab(studio: Studio) -> None:
    def refused(config: str) -> str:
        settings = {"JupyterLabAppSettings": {"LifecycleConfigArns": [config]}}
        return studio.refused("CreateUserProfile", DomainId=studio.domain, UserProfileName="b", UserSettings=settings)

    gone, other = f"{PREFIX}studio-lifecycle-config/gone", studio.script(BASH, "other", "CodeEditor")
    assert refused(gone) == f"ValidationException: StudioLifecycleConfig [{gone}] does not exist."
    assert refused(other).endswith(f"[{other}] is for apps of type CodeEditor, not JupyterLab.")


def test_a_script_that_is_not_in_base64_is_refused(studio: Studio) -> None:
    request = {"StudioLifecycleConfigContent": "#!", "StudioLifecycleConfigAppType": "JupyterLab"}
    refused = studio.refused("CreateStudioLifecycleConfig", StudioLifecycleConfigName="c", **request)
    assert refused.startswith("ValidationException: StudioLifecycleConfigContent is not encoded in base64")


@pytest.mark.parametrize("member", sorted(PRIVATE))
def test_a_space_says_whose_it_is_and_who_may_use_it_or_neither(studio: Studio, member: str) -> None:
    refused = studio.refused("CreateSpace", **studio.space, **{member: PRIVATE[member]})
    assert refused == (
        "ValidationException: Give a space OwnershipSettings and SpaceSharingSettings, or neither of them."
    )


def test_nothing_is_made_in_a_domain_or_for_a_person_who_is_not_there(studio: Studio) -> None:
    other = {"OwnershipSettings": {"OwnerUserProfileName": "eve"}}
    assert studio.refused("CreateSpace", **studio.space, **{**PRIVATE, **other}) == (
        f"ResourceNotFound: UserProfile [{arn(studio, 'user-profile', 'eve')}] does not exist."
    )
    assert studio.refused("CreateUserProfile", DomainId="d-gone", UserProfileName="a") == (
        f"ResourceNotFound: Domain [{PREFIX}domain/d-gone] does not exist."
    )
    assert studio.call("ListSpaces")["Spaces"] == []


def test_a_name_is_taken_once(studio: Studio) -> None:
    made = studio.make_space()
    (studio.volume() / "work").write_text("mine")
    assert studio.refused("CreateSpace", **studio.space) == f"ResourceInUse: Space [{made}] already exists."
    assert (studio.volume() / "work").read_text() == "mine"


def test_a_volume_has_the_size_that_the_nearest_settings_say(tmp_path: Path) -> None:
    settings = {"ExecutionRole": ROLE, **storage(8, 20)}
    studio = Studio(tmp_path, DefaultUserSettings=settings)
    studio.make_space()
    assert studio.size() == 8
    studio.call("DeleteSpace", **studio.space)
    studio.profile(**storage(9, 10))
    studio.make_space()
    assert studio.size() == 9


def test_a_volume_grows_to_what_the_domain_lets_it_have_and_never_shrinks(tmp_path: Path) -> None:
    studio = Studio(tmp_path, DefaultUserSettings={"ExecutionRole": ROLE, **storage(5, 20)})

    def sized(gigabytes: int) -> dict[str, Any]:
        return {"SpaceSettings": {"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": gigabytes}}}}

    too_large = "ValidationException: The volume of a space has at most 20 GB here (MaximumEbsVolumeSizeInGb), not 21."
    assert studio.refused("CreateSpace", **studio.space, **PRIVATE, **sized(21)) == too_large
    made = studio.make_space(6)
    assert studio.refused("UpdateSpace", **studio.space, **sized(21)) == too_large
    assert studio.refused("UpdateSpace", **studio.space, **sized(5)) == (
        f"ValidationException: The volume of [{made}] has 6 GB: it cannot be made smaller (5 GB). Create a new space."
    )
    studio.call("UpdateSpace", **studio.space, **sized(20), SpaceDisplayName="Lab")
    assert (studio.size(), studio.call("DescribeSpace", **studio.space)["SpaceDisplayName"]) == (20, "Lab")


def test_the_type_of_a_space_cannot_be_changed(studio: Studio) -> None:
    studio.make_space()
    refused = studio.refused("UpdateSpace", **studio.space, SpaceSettings={"AppType": "JupyterLab"})
    assert refused == "ValidationException: The AppType of a space cannot be changed."


def test_a_deleted_space_takes_its_volume_along(studio: Studio) -> None:
    studio.make_space()
    assert studio.volume().is_dir()
    studio.call("DeleteSpace", **studio.space)
    assert not studio.volume().exists()
    assert studio.refused("DescribeSpace", **studio.space).startswith("ResourceNotFound: Space [")


def test_what_has_parts_is_deleted_after_them(studio: Studio) -> None:
    studio.make_space()
    ana, domain = {"DomainId": studio.domain, "UserProfileName": "ana"}, {"DomainId": studio.domain}
    assert studio.refused("DeleteUserProfile", **ana) == (
        f"ResourceInUse: Unable to delete UserProfile [{arn(studio, 'user-profile', 'ana')}] because Space(s) are "
        "associated with it."
    )
    assert "because UserProfile(s) are associated" in studio.refused("DeleteDomain", **domain)
    studio.call("DeleteSpace", **studio.space)
    studio.call("DeleteUserProfile", **ana)
    studio.call("DeleteDomain", **domain, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    assert studio.call("ListDomains")["Domains"] == []


def test_a_configuration_that_settings_name_is_not_deleted(studio: Studio) -> None:
    config = studio.attached(BASH)["LifecycleConfigArn"]
    refused = studio.refused("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="c")
    assert refused == (
        f"ResourceInUse: Unable to delete Studio Lifecycle Config [{config}] because it is in use by "
        f"{arn(studio, 'user-profile', 'ana')}."
    )
    studio.profile(JupyterLabAppSettings={"LifecycleConfigArns": []})
    studio.call("DeleteStudioLifecycleConfig", StudioLifecycleConfigName="c")
    assert studio.call("ListStudioLifecycleConfigs")["StudioLifecycleConfigs"] == []


def test_a_domain_whose_users_would_have_no_role_is_refused(studio: Studio) -> None:
    refused = studio.refused("CreateDomain", DomainName="d", AuthMode="IAM", DefaultUserSettings={})
    assert refused == "ValidationException: Give DefaultUserSettings an ExecutionRole."


@pytest.mark.parametrize("operation", ["CreatePresignedDomainUrl", "UpdateDomain"])
def test_what_is_not_here_is_refused_by_name(studio: Studio, operation: str) -> None:
    refused = studio.refused(operation, DomainId=studio.domain)
    assert refused == f"UnknownOperationException: {operation} is not an operation that is emulated here."


def test_an_app_of_another_type_is_refused_by_name(studio: Studio) -> None:
    studio.make_space()
    refused = studio.refused("CreateApp", **{**studio.app, "AppType": "CodeEditor"})
    assert refused == (
        "ValidationException: AppType CodeEditor is not emulated here: only apps of type JupyterLab are here."
    )
