"""Measures one batch transform and writes what a reviewer needs to decide."""

import json
from typing import Any

from signalbox.evaluation.page import render
from signalbox.evaluation.ports import LiveModels, Objects, Written
from signalbox.evaluation.report import GOLDEN, POINTS, SAMPLES, make_golden, make_report, summarise
from signalbox.evaluation.rows import EvaluationError, Spread, read_rows
from signalbox.evaluation.scores import Scores


def evaluate(event: dict[str, Any], objects: Objects, live_models: LiveModels) -> dict[str, Any]:
    """Measure the transform of `event` (`{"plan", "training", "execution_arn"}`); write report and golden requests.

    A repetition reads the same predictions and writes the same bytes to the same keys: the report's time is that of
    the newest prediction, not the clock's. Only a change of the live model in between changes the comparison.

    Raises:
        EvaluationError: there are no rows, or they cannot be measured.
    """
    plan = event["plan"]
    files = _predictions(plan["outputs"]["transform"], objects)
    scores, spread = _measure(files, objects)
    created_at = max(file.at for file in files)
    live = _live(plan, objects, live_models)
    samples = spread.rows(SAMPLES)
    report = make_report(plan, event["training"], scores=scores, rows=samples, live=live, created_at=created_at)
    golden = make_golden(plan["content_type"], report["problem"], spread.rows(GOLDEN))
    home = plan["outputs"]["evaluation"]
    objects.write(f"{home}golden.json", _json(golden), "application/json")
    objects.write(f"{home}report.html", render(report, spread.rows(POINTS)), "text/html; charset=utf-8")
    objects.write(f"{home}report.json", _json(report), "application/json")
    return {
        "report": f"{home}report.json",
        "golden": f"{home}golden.json",
        "primary": report["primary"],
        "value": report["metrics"][report["primary"]]["value"],
        "better": report["better"],
        "summary": summarise(report),
    }


def _predictions(uri: str, objects: Objects) -> list[Written]:
    files = [file for file in objects.list(uri) if file.uri.endswith(".out")]
    if not files:
        raise EvaluationError(f"the batch transform wrote no predictions under {uri}: look at its log and test data")
    return files


def _measure(files: list[Written], objects: Objects) -> tuple[Scores, Spread]:
    scores, spread = Scores(), Spread(POINTS)
    for row in read_rows((file.uri, objects.lines(file.uri)) for file in files):
        scores.add(row)
        spread.add(row)
    return scores, spread


def _live(plan: dict[str, Any], objects: Objects, live_models: LiveModels) -> dict[str, Any] | None:
    """Return the live package and its metrics; None where nothing is live, or the live package is this one."""
    package = live_models.package(plan["model"])
    if package is None or package == plan["package"]:
        return None
    uri = live_models.report(package)
    text = objects.read(uri) if uri else None
    return {"package": package, "metrics": json.loads(text)["metrics"] if text else {}}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
