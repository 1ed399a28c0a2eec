"""How far a build is: its phases in its record, each change told as CodeBuild's events tell it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sagemaker_local.core.cloud import Cloud

BUILD = "Build"
STATE, PHASE = "CodeBuild Build State Change", "CodeBuild Build Phase Change"
_TIME = "%b %-d, %Y %-I:%M:%S %p"
_VARIABLE = ("name", "value", "type")


class Teller(Protocol):
    """Where events go."""

    def send(self, detail_type: str, resources: list[str], detail: dict[str, Any]) -> None:
        """Send an event of source aws.codebuild."""


class Progress:
    """The phases of one build, one after another."""

    def __init__(self, cloud: Cloud, build: str) -> None:
        self._cloud = cloud
        self._build = build

    def record(self) -> dict[str, Any]:
        """Return the build as it is now."""
        return self._cloud.store.get(BUILD, self._build)

    def set(self, **members: Any) -> None:
        """Set members of the build's record."""
        self._cloud.store.update(BUILD, self._build, **members)

    def begin(self, phase: str) -> None:
        """Begin a phase."""
        now = self._cloud.clock()

        def change(build: dict[str, Any]) -> None:
            build["currentPhase"] = phase
            build["phases"].append({"phaseType": phase, "startTime": now})

        self._cloud.store.change(BUILD, self._build, change)

    def end(self, status: str = "SUCCEEDED", code: str = "", message: str = "") -> None:
        """End the phase that goes on, and tell so."""
        now = self._cloud.clock()

        def change(build: dict[str, Any]) -> None:
            phase = build["phases"][-1]
            phase |= {
                "phaseStatus": status,
                "endTime": now,
                "durationInSeconds": int((now - phase["startTime"]).total_seconds()),
                "contexts": [{"statusCode": code, "message": message}],
            }

        build = self._cloud.store.change(BUILD, self._build, change)
        self._send(PHASE, build, _phase_change(build["phases"][-1]))

    def open(self) -> bool:
        """Tell whether a phase goes on."""
        phases = self.record()["phases"]
        return bool(phases) and "phaseStatus" not in phases[-1]

    def complete(self, status: str) -> None:
        """End the build."""
        now = self._cloud.clock()

        def change(build: dict[str, Any]) -> None:
            build |= {"buildStatus": status, "buildComplete": True, "endTime": now, "currentPhase": "COMPLETED"}
            build["phases"].append({"phaseType": "COMPLETED", "startTime": now})

        self._cloud.store.change(BUILD, self._build, change)
        self.tell()

    def tell(self) -> None:
        """Tell the state of the build."""
        build = self.record()
        contexts = [phase["contexts"] for phase in build["phases"] if phase.get("contexts")]
        detail = {
            "build-status": build["buildStatus"],
            "current-phase": build["currentPhase"],
            "current-phase-context": _context(contexts[-1] if contexts else []),
        }
        self._send(STATE, build, detail)

    def _send(self, kind: str, build: Mapping[str, Any], detail: Mapping[str, Any]) -> None:
        common = {
            "project-name": build["projectName"],
            "build-id": build["arn"],
            "additional-information": _information(build),
            "version": "1",
        }
        self._cloud.events.send(kind, [build["arn"]], {**detail, **common})


def _phase_change(phase: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "completed-phase": phase["phaseType"],
        "completed-phase-status": phase["phaseStatus"],
        "completed-phase-context": _context(phase["contexts"]),
        "completed-phase-duration-seconds": float(phase["durationInSeconds"]),
        "completed-phase-start": _spelled(phase["startTime"]),
        "completed-phase-end": _spelled(phase["endTime"]),
    }


def _information(build: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both kinds of events have (User Guide, "Build notifications input format reference")."""
    logs, source = build.get("logs", {}), build["source"]
    artifact = build.get("artifacts", {})
    return {
        "artifact": {name: artifact[name] for name in ("md5sum", "sha256sum", "location") if name in artifact},
        "environment": _environment(build["environment"]),
        "timeout-in-minutes": float(build["timeoutInMinutes"]),
        "build-complete": build["buildComplete"],
        "build-number": float(build["buildNumber"]),
        "initiator": build["initiator"],
        "build-start-time": _spelled(build["startTime"]),
        "source": {name: source[name] for name in ("buildspec", "location", "type") if name in source},
        **({"source-version": build["sourceVersion"]} if "sourceVersion" in build else {}),
        "logs": {
            **({"group-name": logs["groupName"], "stream-name": logs["streamName"]} if "groupName" in logs else {}),
            "deep-link": logs.get("deepLink", ""),
        },
        "phases": [_phase(phase) for phase in build["phases"]],
        "queued-timeout-in-minutes": float(build["queuedTimeoutInMinutes"]),
    }


def _environment(environment: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "image": environment["image"],
        "privileged-mode": environment.get("privilegedMode", False),
        "compute-type": environment["computeType"],
        "type": environment["type"],
        "environment-variables": [
            {name: variable[name] for name in _VARIABLE if name in variable}
            for variable in environment.get("environmentVariables", [])
        ],
        **(
            {"image-pull-credentials-type": environment["imagePullCredentialsType"]}
            if "imagePullCredentialsType" in environment
            else {}
        ),
    }


def _phase(phase: Mapping[str, Any]) -> dict[str, Any]:
    if "phaseStatus" not in phase:
        return {"start-time": _spelled(phase["startTime"]), "phase-type": phase["phaseType"]}
    return {
        "phase-context": [f"{one['statusCode']}: {one['message']}" for one in phase["contexts"] if one["statusCode"]],
        "start-time": _spelled(phase["startTime"]),
        "end-time": _spelled(phase["endTime"]),
        "duration-in-seconds": float(phase["durationInSeconds"]),
        "phase-type": phase["phaseType"],
        "phase-status": phase["phaseStatus"],
    }


def _context(contexts: list[dict[str, str]]) -> str:
    told = [f"{one['statusCode']}: {one['message']}" for one in contexts if one["statusCode"]]
    return f"[{', '.join(told)}]"


def _spelled(moment: datetime) -> str:
    return moment.strftime(_TIME)
