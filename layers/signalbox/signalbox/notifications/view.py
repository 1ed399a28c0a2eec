"""An ending as its mail's texts see it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from signalbox import words
from signalbox.notifications import failures
from signalbox.notifications.failures import Explanation

if TYPE_CHECKING:
    from signalbox.contracts.common import StageServing
    from signalbox.contracts.endings import Ending
    from signalbox.contracts.releases import RegistryChange, ReleaseOutcome, Rollback, StageOutcome, StageVerdict
    from signalbox.contracts.reviews import ReviewDecision
    from signalbox.notifications.model import Fact

NO_ADDRESS = "<ApiUrl>"


class EndingView(NamedTuple):
    """An ending without its Nones: a text that is not known is "".

    `release` is None where no release ended. `by`, `at` and `reason` are a person's decision; `error` is the name of a
    failure, `failure` what it says.
    """

    model: str
    package: str
    release: "ReleaseOutcome | None"
    by: str = ""
    at: str = ""
    reason: str = ""
    error: str = ""
    failure: Explanation = Explanation("")
    execution: str = ""
    api_url: str = NO_ADDRESS

    @classmethod
    def of(cls, ending: "Ending", api_url: str) -> Self:
        """Return the view of an ending; models are called under `api_url`."""
        error, decision = ending["error"], _decision(ending)
        cause = (error.get("Cause") or "") if error else ""
        return cls(
            model=words.model_name(ending["model"] or ending["package"] or ""),
            package=ending["package"] or "",
            release=ending["release"],
            by=str(decision.get("by") or ""),
            at=str(decision.get("at") or ""),
            reason=str(decision.get("reason") or ""),
            error=error["Error"] or "" if error else "",
            failure=failures.explain(cause),
            execution=ending["execution_arn"],
            api_url=api_url or NO_ADDRESS,
        )

    @property
    def name(self) -> str:
        """Return the model and its version, as far as they are known."""
        versioned = not self.package or "/" in self.model  # as a model is called that is known by its package only
        return self.model if versioned else f"{self.model} {words.package_label(self.package)}"

    @property
    def stage(self) -> str:
        """Return the stage where the release stopped, "" where there is none."""
        return (self.release["stage"] if self.release else None) or ""

    @property
    def rollback(self) -> "Rollback | None":
        """Return how a failed release left its stage."""
        return self.release["rollback"] if self.release else None

    @property
    def serving(self) -> "Sequence[StageServing]":
        """Return what each stage was seen to serve when the release ended; nothing where that is not known."""
        # A release that was planned by the version before this one does not say.
        return (self.release.get("serving") or ()) if self.release else ()

    @property
    def removed(self) -> Sequence[str]:
        """Return the stages of this release that were taken out of the stages document meanwhile."""
        return self.release.get("removed", ()) if self.release else ()

    @property
    def change(self) -> "RegistryChange | None":
        """Return what the registry says of the package for which the release ended."""
        return self.release.get("change") if self.release else None

    def stages(self, *verdicts: "StageVerdict") -> "list[StageOutcome]":
        """Return the stages that ended so and are still so: another release may have moved them since."""
        ended = [one for one in self.release["stages"] if one["verdict"] in verdicts] if self.release else []
        now = {one["stage"]: one["package"] for one in self.serving}
        return [one for one in ended if now.get(one["stage"], one["package"]) == one["package"]]

    @property
    def commit(self) -> str:
        """Return the commit of the package that was released; "" where it is not known."""
        released = [one for one in self.stages("released") if one["package"] == self.package]
        # A release that was begun by the version before this one does not say.
        return next((one["commit"] for one in released if "commit" in one), "")

    def facts(self, *more: "Fact") -> "tuple[Fact, ...]":
        """Return labels and values, as far as there are any; of a release also what each stage serves now."""
        own: tuple[Fact, ...] = (
            ("Model", self.model),
            ("Package", words.package_name(self.package)),
            ("Stage", self.stage),
        )
        serving = [(f"{one['stage']} serves", _served(one)) for one in self.serving]
        if self.release and not serving:
            serving = [("The stages serve", "nobody could read it; the command signalbox status shows it")]
        return tuple((label, value) for label, value in (*own, *more, *serving) if value)


def names_of(stages: "Sequence[StageOutcome]") -> str:
    """Return the stages' names as a list in a sentence."""
    return words.listed([one["stage"] for one in stages])


def _served(one: "StageServing") -> str:
    """Return what a stage serves, by the endpoint that answers for it."""
    if not one["status"]:
        return "nothing: it has no endpoint"
    what = words.package_name(one["package"]) if one["package"] else "no package of the model registry"
    state = "" if one["status"] == "InService" else f", which is {one['status']}"
    return f"{what}, by endpoint {one['endpoint']}{state}"


def _decision(ending: "Ending") -> "ReviewDecision | dict[str, object]":
    """Return who decided what and why, which a task that was failed by a rejection has in its cause."""
    if ending["decision"] is not None:
        return ending["decision"]
    return failures.parsed(ending["error"].get("Cause") or "") if ending["error"] else {}
