"""SageMaker's contract with a container, step by step: train, fail, ping, one prediction, SIGTERM.

Sources: Developer Guide, "Use Your Own Training Algorithms" and "Custom Inference Code with Hosting Services".
"""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from signalbox_operate.containers import tree
from signalbox_operate.containers.model import Ended, Runtime, Server, Step, Trial

PORT = 8080
STOP_SECONDS = 30.0
"""Seconds between SIGTERM and SIGKILL of a model's server."""
_PING_SECONDS, _ANSWER_SECONDS, _PAUSE = 2.0, 60.0, 0.2
_OK = 200
_SHOWN = 200  # bytes of an answer


@dataclass(frozen=True)
class Contract:
    """Tries a container out, in folders below `work`; `clock` and `sleep` count seconds."""

    runtime: Runtime
    trial: Trial
    work: Path
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def run(self) -> Iterator[Step]:
        """Yield how each part of the contract went; what needs an earlier part is left out where that failed.

        Raises:
            OperateError: a program cannot be started, or there are no data.
        """
        base = self.work / "train"
        tree.make(base, self.trial)
        started = self.clock()
        ended = self.runtime.train(base, self.trial)
        yield _trained(ended, base, self.clock() - started, self.trial)
        if ended.code != 0:
            return
        yield self._failing()
        yield from self._serving(base / "model")

    def _failing(self) -> Step:
        """Train without data, which no training can do."""
        base, what = self.work / "failing", "train without data"
        tree.make(base, self.trial, with_data=False)
        ended, told = self.runtime.train(base, self.trial), tree.failure(base)
        if ended.code is None:
            return Step(what, "warned", f"it does not end within {self.trial.train_seconds:g} s")
        if ended.code == 0:
            return Step(what, "warned", "it ends with 0, so SageMaker takes it as trained: end with another code")
        if not told:
            advice = "write the reason into /opt/ml/output/failure, which the console and the mails show"
            return Step(what, "warned", f"it ends with {ended.code} and says nothing of why: {advice}")
        return Step(f"{what} ends with {ended.code}, and SageMaker shows: {told}", "ok")

    def _serving(self, model: Path) -> Iterator[Step]:
        base = self.work / "serve"
        tree.make(base, Trial({}))
        shutil.copytree(model, base / "model", dirs_exist_ok=True)
        started = self.clock()
        server = self.runtime.serve(base, self.trial)
        try:
            pinged = self._pinged(server, started)
            yield pinged
            if pinged.verdict == "ok":
                yield self._predicted(server)
        finally:
            seconds = server.stop(STOP_SECONDS)
        if pinged.verdict == "ok":
            yield _stopped(seconds)

    def _pinged(self, server: Server, started: float) -> Step:
        status = None
        while self.clock() - started < self.trial.ping_seconds:
            if not server.running():
                return Step("serve", "refused", f"it ended before it answered /ping{_printed(server.output())}")
            answer = server.ask("GET", "/ping", None, {}, _PING_SECONDS)
            if answer is not None and answer.status == _OK:
                return Step(f"serve answered /ping after {self.clock() - started:.1f} s", "ok")
            status = answer.status if answer else None
            if server.elsewhere():
                return Step("serve", "refused", f"it has to listen on port {PORT}, and {server.elsewhere()}")
            self.sleep(_PAUSE)
        last = f"the last answer was {status}" if status else "there was no answer"
        told = f"/ping was not answered with 200 within {self.trial.ping_seconds:g} s ({last})"
        return Step("serve", "refused", f"{told}{_printed(server.output())}")

    def _predicted(self, server: Server) -> Step:
        if self.trial.request is None:
            return Step("one prediction", "skipped", "give a request with --data or --file")
        headers = {"Content-Type": self.trial.content_type, "Accept": self.trial.content_type}
        started = self.clock()
        answer = server.ask("POST", "/invocations", self.trial.request, headers, _ANSWER_SECONDS)
        seconds = self.clock() - started
        if answer is None:
            return Step(
                "one prediction", "refused", f"no answer within {_ANSWER_SECONDS:g} s{_printed(server.output())}"
            )
        text = answer.body[:_SHOWN].decode(errors="replace").strip()
        if answer.status != _OK:
            return Step(
                "one prediction", "refused", f"the answer is {answer.status}: {text}{_printed(server.output())}"
            )
        if not text:
            return Step("one prediction", "refused", "the answer is empty")
        return Step(f"/invocations answered after {seconds:.2f} s: {text}", "ok")


def _trained(ended: Ended, base: Path, seconds: float, trial: Trial) -> Step:
    told = tree.failure(base)
    if ended.code is None:
        return Step("train", "refused", f"it did not end within {trial.train_seconds:g} s{_printed(ended.output)}")
    if ended.code != 0:
        shown = f"AlgorithmError: {told}, exit code: {ended.code}"
        return Step("train", "refused", f"SageMaker shows: {shown}{'' if told else _printed(ended.output)}")
    if told:
        return Step("train", "warned", f"it ended with 0, so SageMaker shows nothing of its failure file: {told}")
    left = tree.files(base / "model")
    if not left:
        return Step("train", "warned", "it left nothing in /opt/ml/model, so there is no model to serve")
    size = sum(path.stat().st_size for path in left)
    files = f"{len(left):,} file{'' if len(left) == 1 else 's'}, {size:,} bytes"
    return Step(f"train ended with 0 after {seconds:.1f} s and left {files} in /opt/ml/model", "ok")


def _stopped(seconds: float | None) -> Step:
    if seconds is None:
        told = f"it still runs {STOP_SECONDS:g} s after SIGTERM and is killed, with the requests in work"
        return Step("serve at SIGTERM", "refused", told)
    return Step(f"serve ended {seconds:.1f} s after SIGTERM", "ok")


def _printed(output: str) -> str:
    return f"; it printed: {' | '.join(output.splitlines())}" if output.strip() else ""
