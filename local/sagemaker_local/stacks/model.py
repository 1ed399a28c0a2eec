"""What the handler has to know about a type of resource: one row of the table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.model import Shape

from sagemaker_local.core.shapes import service_model

type Properties = Mapping[str, Any]
type Request = dict[str, Any]


def _as_it_is(properties: Properties) -> Request:
    return dict(properties)


def _all_of_the_new(_old: Properties, new: Properties) -> Request:
    return dict(new)


@dataclass(frozen=True)
class Status:
    """The member of a description that says how far a resource is, and the statuses in which it is on its way."""

    member: str
    moving: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One type. Its operations are Create, Update, Delete and Describe with its `kind` behind.

    Its properties are the members of the Create request, without what the published schema lacks and with what it has
    of its own. Requests have those properties that the operation takes.
    """

    kind: str
    reference: str
    """What `Ref` returns: a property, or a member of the answer to Create."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What `Fn::GetAtt` returns: the attribute's name, and the member of the description that it is."""
    replacing: frozenset[str] = frozenset()
    """Properties whose change needs another resource."""
    perhaps_replacing: frozenset[str] = frozenset()
    """Properties of which some changes need another resource."""
    needs_another: Callable[[Properties, Properties], bool] | None = None
    """Tells of old and new properties whether a change of those needs another resource."""
    named: bool = True
    """Whether it has a name of its own; otherwise its ARN, which Create returns, stands for it."""
    update_by: str = ""
    """The member of the Update request that says which resource; empty: the same as in the other operations."""
    lacks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Members that the published schema does not have, by the name of the shape in botocore's model."""
    requires: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What the published schema requires, by the name of the shape; of other shapes it is what the API requires."""
    own: Mapping[str, Shape] = field(default_factory=dict)
    """Properties that are no members of the Create request."""
    not_emulated: frozenset[str] = frozenset()
    """Properties that are refused by name."""
    creation: Callable[[Properties], Request] = _as_it_is
    """From the properties to those members of Create that are otherwise."""
    change: Callable[[Properties, Properties], Request] = _all_of_the_new
    """From old and new properties to those members of Update that are otherwise."""
    changed_by: frozenset[str] = frozenset()
    """Properties that are no members of Update, and that `change` makes members of."""
    described: Callable[[Properties], Request] = _as_it_is
    """From a description to the properties that a template has."""
    set_afterwards: frozenset[str] = frozenset()
    """Properties that Create does not take, and Update right behind it does."""
    about_updates: frozenset[str] = frozenset()
    """Properties that say how the next update goes, and are no reason for one."""
    status: Status | None = None
    """Where its work goes on after the answer."""
    at_rest: bool = False
    """Whether it is stopped to be changed or deleted, and started again after a change, by Stop and Start."""
    stack_tags: bool = True
    """Whether it gets the tags of its stack."""

    @property
    def type_name(self) -> str:
        """Return the type's name in templates."""
        return f"AWS::SageMaker::{self.kind}"

    @property
    def name(self) -> str:
        """Return the property that names it, and the member of Describe and Delete that says which resource."""
        return f"{self.kind}Name"

    @property
    def arn(self) -> str:
        """Return the member that has its ARN."""
        return f"{self.kind}Arn"

    @property
    def create_shape(self) -> Any:
        """Return the shape of the Create request."""
        return service_model("sagemaker").operation_model(f"Create{self.kind}").input_shape

    def members(self, verb: str) -> frozenset[str]:
        """Return the members of an operation's request; none where there is no such operation."""
        model, operation = service_model("sagemaker"), f"{verb}{self.kind}"
        if operation not in model.operation_names:
            return frozenset()
        shape: Any = model.operation_model(operation).input_shape
        return frozenset(shape.members)

    def properties(self) -> dict[str, Any]:
        """Return the shape of each property that a template may set."""
        lacking = self.lacks.get(self.create_shape.name, frozenset())
        taken = {name: shape for name, shape in self.create_shape.members.items() if name not in lacking}
        return {**taken, **self.own}
