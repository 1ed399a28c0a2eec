"""An SSM that remembers parameters in memory and checks every request."""

from collections.abc import Mapping
from typing import Any

from tests.support.botocore_strict import RecordingClient, client_error


class RememberedParameters(RecordingClient):
    """Parameters by their names; `answers` are those of other operations, as of every `RecordingClient`."""

    def __init__(self, texts: Mapping[str, str] | None = None, answers: Mapping[str, Any] | None = None) -> None:
        super().__init__("ssm", answers)
        self.texts = dict(texts or {})

    def _get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        if Name not in self.texts:
            raise client_error("ParameterNotFound")
        return {"Parameter": {"Value": self.texts[Name]}}

    def _get_parameters_by_path(self, Path: str) -> dict[str, Any]:  # noqa: N803  # boto3's spelling
        below = [name for name in self.texts if name.rpartition("/")[0] == Path]
        return {"Parameters": [{"Name": name, "Value": self.texts[name]} for name in below]}
