"""Algorithm mode's model server of the XGBoost image.

Answers as github.com/aws/sagemaker-xgboost-container does: 204 to nothing, 415 to what cannot be read, 400 to what
cannot be predicted, 406 to an answer that cannot be given; CSV unless something else is accepted.
"""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_local.images import web
from sagemaker_local.images.formats import LIBSVM, FormatError, read_csv, read_libsvm
from sagemaker_local.images.slim import xgboost
from sagemaker_local.images.xgboost_train import MODEL_FILE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_JSON_LINES = ("application/jsonlines", "application/x-jsonlines")


class Predictor:
    """A loaded booster that answers invocations; `batch` joins answers by newlines instead of commas."""

    def __init__(self, booster: xgboost.Booster, *, batch: bool) -> None:
        self._booster = booster
        self._batch = batch
        self._width = booster.num_features()

    def __call__(self, request: web.Request) -> web.Reply:
        """Answer one invocation.

        Raises:
            web.RefusedError: the body cannot be read (415), predicted (400), or answered as asked (406).
        """
        if not request.body:
            return web.Reply(HTTPStatus.NO_CONTENT)
        accept = web.media_type(
            request.accept, default=os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "text/csv")
        )
        if accept not in ("text/csv", "application/json", *_JSON_LINES):
            raise web.RefusedError(HTTPStatus.NOT_ACCEPTABLE, f"Accept type {accept} is not supported")
        features = _read(request)
        return web.Reply(HTTPStatus.OK, self._write(self._predict(features), accept), accept)

    def _predict(self, features: NDArray[np.float32]) -> list[Any]:
        if features.shape[1] != self._width:
            problem = f"it has {features.shape[1]} features where the model was trained on {self._width}"
            raise web.RefusedError(HTTPStatus.BAD_REQUEST, f"Unable to evaluate payload provided: {problem}")
        try:
            answers: list[Any] = self._booster.predict(xgboost.DMatrix(features)).tolist()
        except (xgboost.core.XGBoostError, ValueError) as error:
            message = f"Unable to evaluate payload provided: {str(error).splitlines()[0]}"
            raise web.RefusedError(HTTPStatus.BAD_REQUEST, message) from error
        return answers

    def _write(self, answers: list[Any], accept: str) -> bytes:
        if accept == "application/json":
            return json.dumps({"predictions": [{"score": answer} for answer in answers]}).encode()
        if accept in _JSON_LINES:
            return "".join(f"{json.dumps({'score': answer})}\n" for answer in answers).encode()
        texts = [str(answer) for answer in answers]
        return ("\n".join(texts) + "\n" if self._batch else ",".join(texts)).encode()


def _read(request: web.Request) -> NDArray[np.float32]:
    content_type = web.media_type(request.content_type, default=LIBSVM[0])
    try:
        text = request.body.decode()
        if content_type == "text/csv":
            return read_csv(text)
        if content_type in LIBSVM:
            return read_libsvm(text, labelled=False)[0]
    except (FormatError, UnicodeDecodeError) as error:
        message = f"Loading {content_type} data failed with exception: {error}"
        raise web.RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message) from error
    message = f"Content type {content_type} is not supported: text/csv, text/libsvm"
    raise web.RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)


def load(folder: Path) -> xgboost.Booster:
    """Return the booster in a model folder: `xgboost-model`, or else its only file.

    Raises:
        FileNotFoundError: there is none.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file())
    named = [path for path in files if path.name == MODEL_FILE] or files
    if not named:
        raise FileNotFoundError(f"no {MODEL_FILE} in the model archive")
    return xgboost.Booster(model_file=bytearray(named[0].read_bytes()))


def main() -> None:
    """Serve the model under SAGEMAKER_BASE_DIR until SIGTERM."""
    booster = load(Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model")
    parameters: dict[str, object] = {
        "MaxConcurrentTransforms": 1,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": int(os.environ.get("SAGEMAKER_MAX_PAYLOAD_IN_MB", "6")),
    }
    predictor = Predictor(booster, batch=os.environ.get("SAGEMAKER_BATCH", "") == "true")
    web.serve(predictor, execution_parameters=parameters)


if __name__ == "__main__":
    main()
