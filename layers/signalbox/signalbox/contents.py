"""The content of a model, container by container."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signalbox.contracts.training import ContainerContent, ModelContent


def containers_of(content: "ModelContent") -> "list[ContainerContent]":
    """Return what each container of a model is, in their order."""
    return [content, *content.get("behind", [])]
