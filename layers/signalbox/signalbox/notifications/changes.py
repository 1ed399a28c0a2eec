"""Who changed the registry, and why, as a release's mail says it."""

from signalbox import words
from signalbox.notifications.view import EndingView


def rejected_by(view: EndingView) -> str:
    """Say who rejected the package, or what else became of its approval."""
    label = words.package_label(view.package) if view.package else "the package"
    name, change = f"{label[:1].upper()}{label[1:]}", view.change
    if change is None:
        return f"{name} was rejected{by(view)}, or taken out of it."
    if change["status"] == "Rejected":
        return f"{name} was rejected{by(view)}."
    if never_begun(view):
        status = f"{name} is {change['status']} in the model registry"
        return f"{status}: nobody has approved it, or its approval was taken back."
    return f"{name} was made {change['status']}{by(view)}: it is no longer approved."


def never_begun(view: EndingView) -> bool:
    """Say whether a release stopped before it did anything, so that nobody knows if its package was ever approved."""
    return not view.stage and not (view.release and view.release["stages"])


def no_longer_approved(view: EndingView) -> bool:
    """Say whether the registry was seen to have the package without its approval when its release ended."""
    return view.change is not None and view.change["package"] == view.package and view.change["status"] != "Approved"


def became(view: EndingView) -> str:
    """Return what became of a package whose release has stopped for it, as the end of a title."""
    if view.change is None or view.change["status"] == "Rejected":
        return "was rejected"
    return "is not approved" if never_begun(view) else "is no longer approved"


def by(view: EndingView) -> str:
    """Return who changed the registry, as the end of a sentence; "" where the words that were left name them."""
    change = view.change
    if change is None:
        return " by somebody, in the model registry"
    who = change["by"] or ("" if change["words"] else "somebody")
    return f" by {who}, in the model registry" if who else ""


def words_of(view: EndingView) -> str:
    """Return the words that were left with the change, "" where there are none."""
    return view.change["words"] if view.change else ""
