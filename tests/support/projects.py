"""Documents of projects and models, as CloudFormation writes them."""

import json
from typing import Any

from signalbox.projects import Project, to_json

WINE: dict[str, Any] = {
    "project": "wine",
    "id": "wine-0123456789ab",
    "uploads": [{"prefix": "incoming/wine/", "suffix": ".csv", "quiet_seconds": 60, "pipeline": "train"}],
    "pipelines": {
        "train": {
            "name": "signalbox-wine--train",
            "parameter": "InputManifest",
            "takes": "manifest",
            "models": ["wine", "wine-colour"],
        },
        "nightly": {"name": "signalbox-wine--nightly", "takes": "nothing", "models": []},
    },
    "approvers": ["ann@example.com"],
    "tags": {"team": "cellar"},
}
WINE_MODEL: dict[str, Any] = {
    "model": "wine",
    "project": "wine",
    "id": "wine-0123456789ab",
    "roles": {
        role: f"arn:aws:iam::123456789012:role/signalbox/projects/wine/{role}" for role in ("job", "test", "model")
    },
    "approvers": ["ann@example.com"],
    "stages": [{"name": "prod", "approval": True, "instance_type": "ml.m5.large", "instance_count": 2}],
    "tags": {"team": "cellar"},
    "training": {"problem": "multiclass", "channels": {"training": "s3://data/models/wine/train/"}},
    "test": {"content_type": "application/json", "golden": "s3://data/models/wine/golden.json"},
}


def project_text(base: dict[str, Any] = WINE, **changes: Any) -> str:
    """Return the text of a project's document."""
    return json.dumps({**base, **changes})


def model_text(**changes: Any) -> str:
    """Return the text of a model's document."""
    return json.dumps({**WINE_MODEL, **changes})


def page(*projects: Project, prefix: str = "signalbox") -> dict[str, Any]:
    """Return what Parameter Store answers to the question for the projects of a stack."""
    return {"Parameters": [{"Name": f"/{prefix}/projects/{each.project}", "Value": to_json(each)} for each in projects]}
