"""cfn-lint over the translation (over the SAM file it sees next to nothing), with the machines' definitions in it."""

import re

from cfnlint import api
from cfnlint.config import ManualArgs
from tests.gates.template import Problem, Template
from tests.gates.values import REGION

# cfn-lint's schema of the states language takes a number only, where JSONata machines may have an expression
# (Step Functions Developer Guide, "TimeoutSeconds").
_EXPRESSION = re.compile(r"'\{%.*%\}' is not of type 'number'")


def check(template: Template) -> list[Problem]:
    """Return what cfn-lint calls an error or a warning."""
    matches = api.lint(template.lintable, config=ManualArgs(regions=[REGION]))
    return [
        Problem("/".join(map(str, match.path or ())) or "template", f"{match.rule.id} {match.message}")
        for match in matches
        if match.rule.id[0] in "EW" and not (match.rule.id == "E3601" and _EXPRESSION.search(match.message))
    ]
