"""The reasons that the template gives beside actions: why one is granted that no run is seen to use."""

import re

_RESOURCE = re.compile(r"  (?P<name>\w+):\s*")
_STATEMENT = re.compile(r"\s+- Sid: (?P<sid>\w+)")
_ACTION = re.compile(r"\s+- (?P<action>[a-z0-9-]+:\w+)(\s+#\s*(?P<reason>\S.*))?")


def granted(text: str) -> dict[tuple[str, str, str], str]:
    """Return every action written in the template with its reason ("" without one).

    The keys are the logical id of the resource, the Sid of the statement ("" without one) and the action.

    It reads the text, one action a line, because a parser loses the comments.
    """
    found: dict[tuple[str, str, str], str] = {}
    name, sid = "", ""
    for line in text.splitlines():
        if resource := _RESOURCE.fullmatch(line):
            name, sid = resource["name"], ""
        elif statement := _STATEMENT.fullmatch(line):
            sid = statement["sid"]
        elif action := _ACTION.fullmatch(line):
            key = (name, sid, action["action"])
            # Granted twice, once without a reason: then it has to be used.
            found[key] = (action["reason"] or "") if found.get(key, "reason") else ""
    return found
