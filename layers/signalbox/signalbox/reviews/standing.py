"""What is live beside a model: when it was tested, and by when people were asked, which may be long after."""

from typing import TYPE_CHECKING

from signalbox import words

if TYPE_CHECKING:
    from signalbox.contracts.common import StageServing
    from signalbox.reviews.kept import KeptReport


def moved(report: "KeptReport") -> bool:
    """Say whether something else was live when people were asked than when the model was tested."""
    serving = report.get("serving")
    return serving is not None and (serving["package"] or "") != _tested(report)


def other(report: "KeptReport") -> str:
    """Return what the model was compared with: `live model`, or its version where that is live no more."""
    return words.package_label(_tested(report)) if moved(report) and report["live"] else "live model"


def not_compared(report: "KeptReport") -> str:
    """Return the sentence about a model that is compared with none."""
    serving = report.get("serving")
    if not moved(report):
        return "Not compared with the live model." if report["live"] else "No live model to compare with."
    if serving and serving["package"]:
        return f"Not compared with {words.package_label(serving['package'])}, which is live now."
    return "No live model to compare with."


def since(report: "KeptReport") -> str:
    """Return what was live when people were asked, as a sentence; "" where it was what was live at the test."""
    serving = report.get("serving")
    if serving is None or not moved(report):
        return ""
    if serving["package"]:
        served = f"{serving['stage']} served {words.package_label(serving['package'])}"
        return f"When this was asked, {served}, which did not answer these rows."
    return f"When this was asked, {serving['stage']} served {_nothing(serving)}."


def lives(report: "KeptReport") -> list[tuple[str, str]]:
    """Return labels and names of what was live when the model was tested, and when people were asked."""
    serving = report.get("serving")
    tested = [("Live when tested", words.package_name(_tested(report)))] if report["live"] else []
    if serving is None or not (tested or serving["status"]):
        return tested
    asked = words.package_name(serving["package"]) if serving["package"] else _nothing(serving)
    return [*tested, ("Live when asked", asked)]


def live_commit(report: "KeptReport") -> str:
    """Return the commit of what was live when people were asked, "" where it is not known or nothing was live."""
    serving, tested = report.get("serving"), report.get("live_commit", "")
    if serving is None or (not moved(report) and "commit" not in serving):
        return tested
    return serving.get("commit", "")


def _nothing(serving: "StageServing") -> str:
    status = serving["status"]
    return f"no package of the registry (its endpoint was {status})" if status else "nothing, as it had no endpoint"


def _tested(report: "KeptReport") -> str:
    return report["live"]["package"] if report["live"] else ""
