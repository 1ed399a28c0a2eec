"""How mails and pages look, said once.

Mail programs differ in what they keep of a style sheet, so every element carries its style itself, and the sheet adds
what only a sheet can: dark mode and narrow screens. Contrast of every pair of colours is at least 4.5 to 1.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

_SANS = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
_BUTTON = (
    f"display:block;box-sizing:border-box;width:100%;min-height:48px;margin:0;padding:13px 20px;{_SANS};font-size:16px;"
    "line-height:20px;font-weight:600;text-align:center;text-decoration:none;border-radius:8px;cursor:pointer;"
)

LIGHT = {
    "body": f"margin:0;padding:0;background:#f4f3ef;color:#1c2024;{_SANS};font-size:16px;line-height:24px;"
    "-webkit-text-size-adjust:100%",
    # Seen in lists of mails alone. Not only display, which some mail programs take out.
    "preheader": "display:none;max-height:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;color:#f4f3ef",
    "frame": "width:100%;max-width:640px;margin:0 auto;border-collapse:separate",
    "edge": "padding:32px 16px 48px",
    "brand": "margin:0 0 16px 4px;font-size:14px;line-height:20px;font-weight:600;color:#5c626b",
    "lamp-open": "font-size:18px;color:#c77700",
    "lamp-good": "font-size:18px;color:#1a7f4b",
    "lamp-bad": "font-size:18px;color:#c2332b",
    "lamp-quiet": "font-size:18px;color:#7b818a",
    "sheet": "background:#ffffff;border:1px solid #e2dfd7;border-radius:14px;padding:32px",
    "title": "margin:0 0 8px;font-size:26px;line-height:32px;font-weight:650;letter-spacing:-0.01em;color:#1c2024;"
    "overflow-wrap:anywhere",
    "lead": "margin:0 0 24px;font-size:17px;line-height:26px;color:#41464d;overflow-wrap:anywhere",
    "text": "margin:0 0 16px;color:#41464d;overflow-wrap:anywhere",
    "small": "margin:12px 0 0;font-size:14px;line-height:20px;color:#5c626b;overflow-wrap:anywhere",
    "heading": "margin:32px 0 8px;font-size:13px;line-height:20px;font-weight:600;letter-spacing:0.04em;"
    "text-transform:uppercase;color:#5c626b",
    "table": "width:100%;border-collapse:collapse;font-size:15px;line-height:22px;font-variant-numeric:tabular-nums",
    "head": "padding:6px 12px 6px 0;font-size:13px;font-weight:500;text-align:left;color:#5c626b;"
    "border-bottom:1px solid #d5d1c7;vertical-align:bottom",
    "cell": "padding:10px 12px 10px 0;text-align:left;vertical-align:top;color:#1c2024;border-bottom:1px solid #ece9e2;"
    "overflow-wrap:anywhere",
    # What is a number is never broken inside: not by a cell's own rule either.
    "number": "text-align:right;overflow-wrap:normal",
    "whole": "white-space:nowrap",
    "half-wide": "width:50%",
    "above": "padding-bottom:0;border-bottom:0",
    "below": "padding-top:2px",
    "faint": f"{_SANS};color:#5c626b",
    # A name stays with its value where a line ends.
    "pair": "display:inline-block",
    "jump": "margin:0 0 24px",
    "jump-back": "margin:32px 0 0",
    "last": "padding-right:0",
    "strong": "font-weight:600",
    "muted": "font-size:13px;line-height:18px;color:#5c626b",
    "code": f"{_MONO};font-size:13px;line-height:20px",
    "better": "color:#136c3e;font-weight:600",
    "worse": "color:#b3261e;font-weight:600",
    "fact": "padding-top:7px;padding-bottom:7px",
    "end": "border-bottom:0",
    "label": "width:34%;font-weight:400;color:#5c626b",
    "buttons": "width:100%;border-collapse:separate",
    "half": "width:50%;padding:0 6px 0 0;vertical-align:top",
    "half-last": "padding:0 0 0 6px",
    "alone": "width:100%;padding:0",
    "button": _BUTTON,
    "primary": "background:#176b41;border:1px solid #176b41;color:#ffffff",
    "danger": "background:#b3261e;border:1px solid #b3261e;color:#ffffff",
    "primary-quiet": "background:#ffffff;border:1px solid #8fb7a1;color:#136c3e",
    "danger-quiet": "background:#ffffff;border:1px solid #dba19c;color:#b3261e",
    "plain": "background:#ffffff;border:1px solid #c9c5ba;color:#1c2024",
    "field": f"display:block;box-sizing:border-box;width:100%;min-height:112px;margin:6px 0 16px;padding:12px;{_SANS};"
    "font-size:16px;line-height:24px;color:#1c2024;background:#ffffff;border:1px solid #a9a599;border-radius:8px;"
    "resize:vertical",
    "short": "min-height:48px;max-width:280px",
    "word-lead": "margin:16px 0 4px;color:#41464d",
    "word": f"margin:0 0 16px;{_MONO};font-size:24px;line-height:32px;font-weight:600;letter-spacing:0.06em;"
    "color:#1c2024",
    "field-label": "display:block;font-weight:600;color:#1c2024",
    "hint": "display:block;font-size:13px;line-height:18px;color:#5c626b",
    "form": "margin:32px 0 0",
    "notice": "margin:0 0 20px;padding:12px 16px;background:#fdeeec;border:1px solid #eab8b3;border-radius:8px;"
    "color:#8c1d17;font-weight:500;overflow-wrap:anywhere",
    "quote": f"margin:0 0 24px;padding:14px 16px;background:#f7f6f2;border:1px solid #e2dfd7;border-radius:8px;{_MONO};"
    "font-size:13px;line-height:20px;color:#1c2024;white-space:pre-wrap;overflow-wrap:anywhere",
    "words": "margin:0 0 24px;padding:2px 0 2px 16px;border-left:3px solid #d5d1c7;color:#1c2024;white-space:pre-wrap;"
    "overflow-wrap:anywhere",
    "link": "color:#175f9c;text-decoration:underline;overflow-wrap:anywhere",
    # Shapes need a contrast of 3 to 1 only; the track shows where a full bar would end.
    "picture": "display:block;width:100%;max-width:380px;height:auto;margin:12px 0 0;overflow:visible",
    "picture-axis": "fill:none;stroke:#8f8b80;stroke-width:1",
    "picture-line": "fill:none;stroke:#7b818a;stroke-width:1.5;stroke-dasharray:5 4",
    "picture-dot": "fill:none;stroke:#175f9c;stroke-opacity:0.7;stroke-width:7;stroke-linecap:round",
    "picture-text": f"{_SANS};font-size:13px;fill:#5c626b",
    "picture-name": f"{_SANS};font-size:14px;font-weight:600;fill:#1c2024",
    "picture-track": "fill:#ece9e2",
    "picture-bar": "fill:#176b41",
    "foot": "margin:20px 4px 0;font-size:13px;line-height:20px;color:#5c626b;overflow-wrap:anywhere",
}

_DARK = {
    "body": "background:#121416;color:#e9eaec",
    "brand": "color:#a4aab3",
    "lamp-open": "color:#f0a83c",
    "lamp-good": "color:#4cc38a",
    "lamp-bad": "color:#ff7b70",
    "lamp-quiet": "color:#a4aab3",
    "sheet": "background:#1b1e21;border-color:#30353a",
    "title": "color:#f3f4f5",
    "lead": "color:#c9cdd3",
    "text": "color:#c9cdd3",
    "small": "color:#a4aab3",
    "heading": "color:#a4aab3",
    "head": "color:#a4aab3;border-bottom-color:#3d434a",
    "cell": "color:#e9eaec;border-bottom-color:#2a2e33",
    "muted": "color:#a4aab3",
    "faint": "color:#a4aab3",
    "better": "color:#5fd39b",
    "worse": "color:#ff9288",
    "label": "color:#a4aab3",
    "primary": "background:#1f7d51;border-color:#1f7d51;color:#ffffff",
    "danger": "background:#c2372e;border-color:#c2372e;color:#ffffff",
    "primary-quiet": "background:#1b1e21;border-color:#2f6b4c;color:#5fd39b",
    "danger-quiet": "background:#1b1e21;border-color:#7d3a35;color:#ff9288",
    "plain": "background:#1b1e21;border-color:#4b525a;color:#e9eaec",
    "field": "background:#121416;border-color:#5a626b;color:#e9eaec",
    "field-label": "color:#e9eaec",
    "hint": "color:#a4aab3",
    "word-lead": "color:#c9cdd3",
    "word": "color:#f3f4f5",
    "notice": "background:#3a1d1b;border-color:#7d3a35;color:#ffc9c4",
    "quote": "background:#15181a;border-color:#30353a;color:#e9eaec",
    "words": "border-left-color:#4b525a;color:#e9eaec",
    "link": "color:#7dbdf0",
    "picture-axis": "stroke:#5a626b",
    "picture-line": "stroke:#a4aab3",
    "picture-dot": "fill:none;stroke:#7dbdf0",
    "picture-text": "fill:#a4aab3",
    "picture-name": "fill:#e9eaec",
    "picture-track": "fill:#30353a",
    "picture-bar": "fill:#4cc38a",
    "foot": "color:#a4aab3",
}

_NARROW = {
    "edge": "padding:16px 8px 32px",
    "sheet": "padding:22px 14px",
    "title": "font-size:23px;line-height:29px",
    "stacked": "display:block;width:100%;padding:0 0 12px",
    "cell": "padding-right:4px",
    # Squared errors of prices have ten digits, and three of them stand beside each other, in a wide font, too.
    "number": "font-size:13px",
    "head": "padding-right:4px;font-size:13px",
    "last": "padding-right:0",
}

_EXTRA = (
    "a:focus-visible,button:focus-visible,input:focus-visible,textarea:focus-visible"
    "{outline:3px solid #3b82c4;outline-offset:2px}"
    ".button:hover{filter:brightness(1.06)}"
)


@cache  # a page asks for the same few again and again
def attributes(classes: str) -> "Markup":
    """Return ` class="…" style="…"` for an element; a class without a style of its own is only for the sheet.

    It is a filter, because Jinja2 fills in what a filter makes of a constant when it compiles a template.
    """
    from markupsafe import Markup  # noqa: PLC0415  # comes with Jinja2, which is loaded by now

    own = ";".join(LIGHT[name].rstrip(";") for name in classes.split() if name in LIGHT)
    return Markup(' class="{}" style="{}"').format(classes, Markup(own))  # noqa: S704  # our own constants


def sheet() -> "Markup":
    """Return the style sheet: dark mode, narrow screens, focus."""
    from markupsafe import Markup  # noqa: PLC0415  # comes with Jinja2, which is loaded by now

    narrow = f"@media (max-width:480px){{{_rules(_NARROW)}}}"
    dark = f"@media (prefers-color-scheme:dark){{:root{{color-scheme:dark}}{_rules(_DARK)}}}"
    return Markup(f"{_EXTRA}{narrow}{dark}")  # noqa: S704  # our own constants


def _rules(styles: dict[str, str]) -> str:
    """Return the rules, each declaration strong enough to win over an element's own style."""
    return "".join(f".{name}{{{text.replace(';', '!important;')}!important}}" for name, text in styles.items())
