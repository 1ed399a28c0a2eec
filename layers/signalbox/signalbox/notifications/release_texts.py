"""What to say about a release that came to its end, and about stages in general."""

from collections.abc import Sequence

from signalbox import words
from signalbox.contracts import StageOutcome
from signalbox.notifications.model import Notification
from signalbox.notifications.view import EndingView, names_of


def _proved(stages: Sequence[StageOutcome]) -> str:
    """Say what was verified: golden requests that were answered, or that there were none."""
    answers = sum(one["answers"] for one in stages)
    if not answers:
        return "Its endpoint serves this package. There were no golden requests to compare its answers with."
    return "Its endpoint serves this package and answered the golden requests as the batch transform did."


def released(view: EndingView) -> Notification:
    """Tell that the package serves in all stages, and how to call it."""
    stages = view.stages("released", "kept")
    return Notification(
        lamp="good",
        title=f"{view.name} is released" + (f" to {names_of(stages)}" if stages else ""),
        lead=_proved(view.stages("released")),
        lines=_signed(stages),
        command=_calls(view, stages),
        facts=view.facts(*_endpoints(stages)),
    )


def rolled_back(view: EndingView) -> Notification:
    """Tell which packages serve again after a rejection, which may differ from stage to stage."""
    back, serving = view.stages("released"), view.stages("released", "kept")
    served = list(dict.fromkeys(one["package"] or "" for one in back))
    others = view.stages("kept", "torn-down")
    rejected = words.package_name(view.package) if view.package not in served else ""
    return Notification(
        lamp="good",
        title=f"{view.model} {_back(view, back)}",
        lead=f"The package after it was rejected. {_proved(back)}",
        lines=(*([_sentence(others)] if others else []), *_signed(serving)),
        command=_calls(view, serving),
        facts=view.facts(
            ("Rejected", rejected),
            *_endpoints(serving),
            package=", ".join(words.package_name(one) for one in served) if served else None,
        ),
    )


def torn_down(view: EndingView) -> Notification:
    """Tell that no endpoint is left, and how to get one again."""
    stages = view.stages("torn-down")
    return Notification(
        lamp="quiet",
        title=f"{view.model} was taken down" + (f" in {names_of(stages)}" if stages else ""),
        lead="No approved package is left, so its endpoint was deleted.",
        lines=("Approve a package in the model registry to bring it back.",),
        facts=view.facts(),
    )


def nothing_to_do(view: EndingView) -> Notification:
    """Tell that every stage was right already."""
    lead = "Every stage already serves what the registry says it should."
    return Notification(lamp="quiet", title=f"{view.name}: nothing to do", lead=lead, facts=view.facts())


def superseded(view: EndingView) -> Notification:
    """Tell that a newer package has taken over."""
    lead = "A newer package was approved in the meantime, so this release has stopped. The newer one goes on."
    return Notification(
        lamp="quiet", title=f"{view.name} was overtaken", lead=lead, lines=before(view), facts=view.facts()
    )


def withdrawn(view: EndingView) -> Notification:
    """Tell that the registry's status changed while the release was under way."""
    if view.release and view.release["trigger"] == "rejected":
        again = "It was approved again in the model registry in the meantime, so its rollback has stopped."
        lead = f"{again} {unchanged(view)}"
        return Notification("quiet", f"{view.name} is approved again", lead, lines=before(view), facts=view.facts())
    return Notification(
        lamp="bad",
        title=f"{view.name} was rejected",
        lead=f"Rejected by somebody, in the model registry, so this release has stopped. {unchanged(view)}",
        lines=(*before(view), "To release it after all, approve the package in the model registry."),
        facts=view.facts(),
    )


def unchanged(view: EndingView) -> str:
    """Say that the stage where a release stopped is as it was."""
    return f"{view.stage or 'The stage'} stays as it is."


def before(view: EndingView) -> tuple[str, ...]:
    """Say what the release had done to other stages before it stopped; nothing where it had done nothing."""
    stages = view.stages("released", "kept", "torn-down")
    return (f"Done before that: {_sentence(stages)}",) if stages else ()


def _sentence(stages: Sequence[StageOutcome]) -> str:
    """Return a sentence of how stages are now, such as `staging serves version 3; lab has no endpoint.`."""
    said = (
        f"{one['stage']} serves {words.package_label(one['package'])}"
        if one["package"]
        else f"{one['stage']} has no endpoint"
        for one in stages
    )
    return f"{'; '.join(said)}."


def _back(view: EndingView, stages: Sequence[StageOutcome]) -> str:
    """Return `version 2 is back in staging and prod`, each version with its own stages."""
    by_package: dict[str, list[StageOutcome]] = {}
    for one in stages:
        by_package.setdefault(one["package"] or view.package, []).append(one)
    said = [f"{words.package_label(package)} is back in {names_of(of)}" for package, of in by_package.items()]
    return words.listed(said) or "is back"


def _signed(stages: Sequence[StageOutcome]) -> tuple[str, ...]:
    return ("To call it, sign the request with IAM, as the command signalbox invoke does.",) if stages else ()


def _calls(view: EndingView, stages: Sequence[StageOutcome]) -> str:
    """Return the request that calls each stage, apart from each other where a narrow screen breaks them."""
    calls = (f"POST {view.api_url}/stages/{one['stage']}/invocations?model={view.model}" for one in stages)
    return "\n\n".join(calls)


def _endpoints(stages: Sequence[StageOutcome]) -> list[tuple[str, str]]:
    return [(f"Endpoint in {one['stage']}", one["endpoint"]) for one in stages]
