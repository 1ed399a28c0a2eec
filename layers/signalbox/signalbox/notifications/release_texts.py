"""What to say about a release that came to its end, and about stages in general."""

from typing import TYPE_CHECKING

from signalbox import words
from signalbox.notifications import changes, commands
from signalbox.notifications.model import Notification
from signalbox.notifications.view import EndingView, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signalbox.contracts.releases import StageOutcome

_NONE_LEFT = "No approved package is left that was let in there, so the endpoint was deleted."


def _proved(what: str, stages: "Sequence[StageOutcome]") -> str:
    """Say what was verified: golden requests that were answered, or that there were none; nothing of no stage."""
    if not stages:
        return ""
    if not sum(one["answers"] for one in stages):
        return f"{what}. There were no golden requests to compare its answers with."
    if any(one.get("expected") == "first" for one in stages):
        return (
            f"{what} and answered its project's golden requests: these first answers are what later ones are held to."
        )
    if any("expected" in one for one in stages):
        return f"{what} and answered its project's golden requests as it did the first time."
    return f"{what} and answered the golden requests as the batch transform did."


def released(view: EndingView) -> Notification:
    """Tell that the package serves in all stages, and how to call it."""
    stages, moved = view.stages("released", "kept"), view.stages("released")
    serve = "Its endpoint serves" if len(moved) == 1 else "Its endpoints serve"
    return Notification(
        lamp="good",
        title=f"{view.name} is released" + (f" to {names_of(stages)}" if stages else ""),
        lead=_proved(f"{serve} this package", moved),
        lines=_moved_since(view),
        commands=_calls(view, stages),
        facts=view.facts(("Commit", words.commit(view.commit))),
    )


def rolled_back(view: EndingView) -> Notification:
    """Tell which packages serve again after a rejection, which may differ from stage to stage."""
    back, serving = view.stages("released"), view.stages("released", "kept")
    others = view.stages("kept", "torn-down")
    approved_again = view.package in {one["package"] for one in back}
    who = "It had been rejected, and was approved again meanwhile." if approved_again else changes.rejected_by(view)
    return Notification(
        lamp="good",
        title=f"{view.model} {_back(view, back)}",
        lead=f"{who} {_proved('What is back is in service', back)}".strip(),
        quote=changes.words_of(view),
        quote_style="words",
        lines=(*([_sentence(view, others)] if others else []), *_moved_since(view)),
        commands=(*(() if approved_again else commands.to_bring_back(view)), *_calls(view, serving)),
        facts=view.facts(),
    )


def torn_down(view: EndingView) -> Notification:
    """Tell where no endpoint is left, and how to get one again."""
    stages, others = view.stages("torn-down"), view.stages("released", "kept")
    return Notification(
        lamp="quiet",
        title=f"{view.model} was taken down" + (f" in {names_of(stages)}" if stages else ""),
        lead=f"{changes.rejected_by(view)} {_NONE_LEFT}",
        quote=changes.words_of(view),
        quote_style="words",
        lines=(*([_sentence(view, others)] if others else []), *_moved_since(view)),
        commands=commands.to_bring_back(view),
        facts=view.facts(),
    )


def nothing_to_do(view: EndingView) -> Notification:
    """Tell that every stage was right already."""
    lead = "Every stage already serves what the registry says it should."
    return Notification("quiet", f"{view.name}: nothing to do", lead, lines=_moved_since(view), facts=view.facts())


def superseded(view: EndingView) -> Notification:
    """Tell which package has taken over, and by whom."""
    change = view.change
    newer = words.package_label(change["package"]) if change else "A newer package"
    other = change is None or change["package"] != view.package
    asked = f"{newer[:1].upper()}{newer[1:]} was {'' if other else 'asked for again, and '}approved"
    return Notification(
        lamp="quiet",
        title=f"{view.name} was overtaken",
        lead=f"{asked} in the meantime{changes.by(view)}, so this release has stopped. The newer one goes on.",
        quote=changes.words_of(view),
        quote_style="words",
        lines=before(view),
        commands=commands.to_release(view, "To release this package after all:") if other else (),
        facts=view.facts(),
    )


def withdrawn(view: EndingView) -> Notification:
    """Tell that the registry's status changed while the release was under way."""
    if view.release and view.release["trigger"] == "rejected":
        again = f"It was approved again{changes.by(view)} in the meantime, so its rollback has stopped."
        return Notification(
            "quiet",
            f"{view.name} is approved again",
            f"{again} {unchanged(view)}",
            lines=before(view),
            facts=view.facts(),
        )
    return Notification(
        lamp="bad",
        title=f"{view.name} {changes.became(view)}",
        lead=f"{changes.rejected_by(view)} So this release has stopped. {unchanged(view)}",
        quote=changes.words_of(view),
        quote_style="words",
        lines=before(view),
        commands=commands.to_bring_back(view),
        facts=view.facts(),
    )


def unchanged(view: EndingView) -> str:
    """Say that the stage where a release stopped is as it was, and what that is."""
    packages = [one["package"] for one in view.serving if one["stage"] == view.stage and one["package"]]
    now = f": {words.package_label(packages[0])} serves there" if packages else ""
    return f"{view.stage or 'The stage'} stays as it is{now}."


def _moved_since(view: EndingView) -> tuple[str, ...]:
    """Say which stages this release left otherwise than they are now."""
    still = view.stages("released", "kept", "torn-down")
    moved = [one["stage"] for one in view.release["stages"] if one not in still] if view.release else []
    return (f"Another release has moved {words.listed(moved)} since.",) if moved else ()


def before(view: EndingView) -> tuple[str, ...]:
    """Say what the release had done to other stages before it stopped; nothing where it had done nothing."""
    stages = view.stages("released", "kept", "torn-down")
    return (*([f"Done before that: {_sentence(view, stages)}"] if stages else []), *_moved_since(view))


def _sentence(view: EndingView, stages: "Sequence[StageOutcome]") -> str:
    """Return a sentence of how stages are now, such as `staging serves version 3; lab has no endpoint.`."""
    with_endpoint = {one["stage"] for one in view.serving if one["status"]}

    def now(one: "StageOutcome") -> str:
        if one["package"]:
            return f"serves {words.package_label(one['package'])}"
        return "serves no package of the registry" if one["stage"] in with_endpoint else "has no endpoint"

    return f"{'; '.join(f'{one["stage"]} {now(one)}' for one in stages)}."


def _back(view: EndingView, stages: "Sequence[StageOutcome]") -> str:
    """Return `version 2 is back in staging and prod`, each version with its own stages."""
    by_package: dict[str, list[StageOutcome]] = {}
    for one in stages:
        by_package.setdefault(one["package"] or view.package, []).append(one)
    said = [f"{words.package_label(package)} is back in {names_of(of)}" for package, of in by_package.items()]
    return words.listed(said) or "is back"


def _calls(view: EndingView, stages: "Sequence[StageOutcome]") -> tuple[tuple[str, str], ...]:
    """Return the requests that call the stages, apart from each other where a narrow screen breaks them."""
    calls = [f"POST {view.api_url}/stages/{one['stage']}/invocations?model={view.model}" for one in stages]
    about = "To call it, sign the request with IAM, as the command signalbox invoke does:"
    return ((about, "\n\n".join(calls)),) if calls else ()
