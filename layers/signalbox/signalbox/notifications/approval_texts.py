"""What to say about an approval that does not count."""

from signalbox import words
from signalbox.notifications.model import Notification


def unreviewed(model: str, package: str, by: str) -> Notification:
    """Tell that a package was approved in the registry although nobody was asked about it."""
    return Notification(
        lamp="bad",
        title=f"{model} {words.package_label(package)} was approved without a review",
        lead=f"{by} approved the package in the model registry, but it was never tested here, and nobody was asked "
        "about it. So nothing was released, and the package waits for its approval again.",
        lines=(
            "It is tested now, and a mail of its own asks for your decision.",
            "If you do not expect this, ask who registered the package: CloudTrail has the call, CreateModelPackage.",
        ),
        facts=(("Model", model), ("Package", words.package_name(package)), ("Approved by", by)),
    )
