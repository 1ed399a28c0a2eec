"""Measures one batch transform, compares it with the live model, and writes what a reviewer needs to decide."""

from functools import partial
from typing import TYPE_CHECKING

from signalbox import moments
from signalbox.aws.objects import ListedObject
from signalbox.aws.s3 import ObjectStore
from signalbox.evaluation import comparing, kept, registered, requests
from signalbox.evaluation.comparing import ComparingPorts, HeldOutRows
from signalbox.evaluation.model import EvaluationError
from signalbox.evaluation.report import POINTS, make_golden, make_report, summarise
from signalbox.evaluation.rows import Spread, read_rows
from signalbox.evaluation.scores import Scores
from signalbox.observability import count, logger

if TYPE_CHECKING:
    from signalbox.contracts.training import Evaluated, EvaluationPlan, EvaluationQuestion

_OUTPUT = ".out"


def evaluate(question: "EvaluationQuestion", ports: ComparingPorts) -> "Evaluated":
    """Measure a run's predictions; write report.json and golden.json.

    A repetition reads the same predictions and writes the same bytes to the same keys: the report's time is that of
    the newest prediction, not the clock's. Only a change of the live model in between changes the comparison.

    Raises:
        EvaluationError: there are no rows, some are of no test file, they cannot be measured, or the live model is
            measured by another metric.
        ServiceBusyError: S3, SageMaker or SSM could not answer in this moment.
    """
    plan = question["plan"]
    _check_unsettled(plan["package"], ports)
    if untested := plan.get("untested"):
        return registered.evaluate(question, untested, ports)
    if "problem" not in plan or "columns" not in plan:
        raise EvaluationError("this run was planned before 0.2.0, without its problem: start it again")
    files = _predictions(plan, ports.objects)
    read = partial(read_rows, [file.uri for file in files], ports.objects.lines, plan["columns"])
    scores, spread = Scores(plan["problem"]), Spread(POINTS)
    for row in read():
        scores.add(row)
        spread.add(row)
    rows = HeldOutRows(read, scores.rows, sum(file.size for file in files))
    live = comparing.compare(plan, plan["problem"], rows, ports)
    created_at = moments.text_of(max(file.modified for file in files))
    report = make_report(
        question, scores, spread, live=live, costs=kept.costs_of(question, ports), created_at=created_at
    )
    report_uri, golden_uri = f"{plan['evidence']}report.json", f"{plan['evidence']}golden.json"
    kept.write(golden_uri, make_golden(report, plan["content_type"], spread), question, ports.objects)
    kept.write(report_uri, report, question, ports.objects)
    primary, summary = report["primary"], summarise(report)
    value, verdict = report["metrics"][primary]["value"], report["verdict"]
    logger.info("model evaluated", extra={"report": report_uri, "primary": primary, "value": value, "verdict": verdict})
    count("ModelEvaluated")
    return {"report": report_uri, "record": requests.record(question, report_uri, golden_uri, summary)}


def _check_unsettled(arn: str | None, ports: ComparingPorts) -> None:
    """Refuse to replace the evidence of a package that was approved while it was tested once more."""
    package = ports.packages.find(arn) if arn else None
    if package and package.settled:
        raise EvaluationError(f"package {arn} was approved meanwhile, by another test: nothing of this one is kept")


def _predictions(plan: "EvaluationPlan", objects: ObjectStore) -> list[ListedObject]:
    """Return the transform's outputs: it writes `<path below the test data>.out` for each of their files."""
    home, test_data = plan["predictions"], plan["test_data"]
    files = [file for file in objects.listing(home) if file.uri.endswith(_OUTPUT)]
    if not files:
        raise EvaluationError(f"the batch transform wrote no predictions under {home}: look at its log and test data")
    own = {f"{home}{file.uri.removeprefix(test_data)}{_OUTPUT}" for file in objects.listing(test_data)}
    if foreign := next((file.uri for file in files if file.uri not in own), None):
        raise EvaluationError(
            f"{foreign} is the output of no file under {test_data}: either somebody put it there, or that file was "
            "taken away while the model was tested; find out which, and start the run again"
        )
    return files
