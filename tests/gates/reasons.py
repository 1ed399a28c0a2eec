"""The reasons that the template gives beside actions: why one is granted that no run is seen to use."""

import re

_RESOURCE = re.compile(r"  (?P<name>\w+):\s*")
_ACTION = re.compile(r"\s+- (?P<action>[a-z0-9-]+:\w+)(\s+#\s*(?P<reason>\S.*))?")


def granted(text: str) -> dict[tuple[str, str], str]:
    """Return every action written in the template, by logical id of its resource, with its reason ("" without one).

    It reads the text, one action a line, because a parser loses the comments.
    """
    found: dict[tuple[str, str], str] = {}
    name = ""
    for line in text.splitlines():
        if resource := _RESOURCE.fullmatch(line):
            name = resource["name"]
        elif action := _ACTION.fullmatch(line):
            key = (name, action["action"])
            # Granted twice, once without a reason: then it has to be used.
            found[key] = (action["reason"] or "") if found.get(key, "reason") else ""
    return found
