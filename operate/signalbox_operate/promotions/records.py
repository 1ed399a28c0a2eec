"""What was promoted into a stack: an object for each promotion, under `promotions/<project>/` of its artifacts bucket.

    {"project": "wine", "pipeline": "train", "at": "2026-11-20T12:00:00.000000Z", "commit": "3e5983…",
     "digest": "0f3a…", "started": true,
     "source": {"stack": "dev", "account": "…", "region": "…", "by": "arn:aws:sts::…", "execution": "arn:…",
                "sha256": "…"},
     "target": {"stack": "prod", "account": "…", "region": "…", "by": "arn:aws:sts::…", "pipeline": "prod-wine--train"},
     "replaced": [{"what": "key", "before": "arn:…", "after": "arn:…", "places": 2}], "set": {}}

`sha256` is that of the definition as it ran, and `digest` that of what was put in its place, without its commit.
"""

import json
from datetime import UTC, datetime
from typing import Any

from signalbox import moments
from signalbox_operate.projects.place import Place
from signalbox_operate.promotions.model import Plan, Side

_TIME = "%Y%m%dT%H%M%S%fZ"


def write(plan: Plan, now: datetime) -> None:
    """Write down that something was promoted; no two have one key."""
    project = plan.target.document.project
    key = f"promotions/{project}/{now.astimezone(UTC).strftime(_TIME)}-{plan.target.key}-{plan.digest}.json"
    plan.target.side.place.client("s3").put_object(
        Bucket=plan.target.target.artifacts_bucket,
        Key=key,
        Body=json.dumps(_document(plan, now), ensure_ascii=False).encode(),
        ContentType="application/json",
    )


def newest(project: str, place: Place, most: int) -> list[dict[str, Any]]:
    """Return at most so many promotions of a project into a stack, the newest first."""
    bucket, s3 = place.stack.output("ArtifactsBucket"), place.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"promotions/{project}/")
    keys = sorted((one["Key"] for page in pages for one in page.get("Contents", ())), reverse=True)
    return [json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys[:most]]


def _document(plan: Plan, now: datetime) -> dict[str, Any]:
    ran, target = plan.ran, plan.target
    return {
        "project": target.document.project,
        "pipeline": target.key,
        "at": moments.text_of(now),
        "commit": ran.commit,
        "digest": plan.digest,
        "started": plan.wanted.start,
        "source": {**_side(plan.source.side), "execution": ran.execution, "sha256": ran.sha256},
        "target": {**_side(target.side), "pipeline": target.pipeline.name},
        "replaced": [vars(one) for one in plan.replacements],
        "set": dict(plan.wanted.values or {}),
    }


def _side(side: Side) -> dict[str, str]:
    return {"stack": side.place.stack.name, "account": side.account, "region": side.place.region, "by": side.caller}
