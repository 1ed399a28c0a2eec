"""The rules of the Amazon States Language: what Step Functions says to a definition before it keeps a machine.

The specification (https://states-language.net/spec.html) and the Developer Guide have the rules; codes, words and
locations are those of AWS where somebody has published an answer of ValidateStateMachineDefinition or of
CreateStateMachine. What neither settles is accepted: a machine that AWS takes is never refused here.
"""

from sagemaker_local.asl.diagnostics import Diagnostic
from sagemaker_local.asl.machine import check

__all__ = ["Diagnostic", "check"]
