"""Script mode's model server of the XGBoost and scikit-learn images: the user's functions behind /invocations.

`model_fn`, `input_fn`, `predict_fn` and `output_fn`, or `transform_fn`, in SAGEMAKER_PROGRAM below
SAGEMAKER_SUBMIT_DIRECTORY; a function that is missing has the default of AWS's inference toolkit
(github.com/aws/sagemaker-inference-toolkit) or of the image.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_local.images import formats, web
from sagemaker_local.images.catalog import XGBOOST

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_DEFAULT_PROGRAM = "inference.py"


@dataclass(frozen=True)
class Functions:
    """The user's functions, or the defaults."""

    load: Callable[[str], Any]
    read: Callable[[Any, str], Any]
    predict: Callable[[Any, Any], Any]
    write: Callable[[Any, str], Any]
    transform: Callable[[Any, Any, str, str], Any] | None

    @classmethod
    def of(cls, module: ModuleType, image: str) -> Functions:
        """Return the functions of a user's module for an image."""
        return cls(
            load=getattr(module, "model_fn", _load_booster if image == XGBOOST else _load_joblib),
            read=getattr(module, "input_fn", _read_matrix if image == XGBOOST else _read_table),
            predict=getattr(module, "predict_fn", lambda data, model: model.predict(data)),
            write=getattr(module, "output_fn", _write),
            transform=getattr(module, "transform_fn", None),
        )


class ScriptHandler:
    """Answers invocations with the user's functions."""

    def __init__(self, functions: Functions, folder: Path) -> None:
        self._functions = functions
        self._model = functions.load(str(folder))

    def __call__(self, request: web.Request) -> web.Reply:
        """Answer one invocation; what the user's functions raise becomes a 500."""
        content_type = web.media_type(request.content_type, default="application/json")
        default = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
        accept = web.media_type(request.accept, default=default)
        body: Any = (
            request.body.decode() if content_type.startswith("text/") or "json" in content_type else request.body
        )
        functions = self._functions
        if functions.transform is not None:
            answer = functions.transform(self._model, body, content_type, accept)
        else:
            answer = functions.write(functions.predict(functions.read(body, content_type), self._model), accept)
        return _reply(answer, accept)


def _reply(answer: Any, accept: str) -> web.Reply:
    """Return the user's answer, which may be a body or a body with its content type."""
    body, content_type = answer if isinstance(answer, tuple) else (answer, accept)
    if isinstance(body, bytes | bytearray):
        return web.Reply(HTTPStatus.OK, bytes(body), content_type)
    return web.Reply(HTTPStatus.OK, (body if isinstance(body, str) else json.dumps(body)).encode(), content_type)


def _load_joblib(folder: str) -> Any:
    return importlib.import_module("joblib").load(Path(folder) / "model.joblib")


def _load_booster(folder: str) -> Any:
    from sagemaker_local.images.xgboost_serve import load  # noqa: PLC0415 (xgboost takes a second to import)

    return load(Path(folder))


def _read_table(body: Any, content_type: str) -> Any:
    try:
        if content_type == "text/csv":
            return formats.read_csv(body)
        if content_type == "application/json":
            return importlib.import_module("numpy").asarray(json.loads(body))
    except (formats.FormatError, ValueError) as error:
        raise web.RefusedError(HTTPStatus.BAD_REQUEST, f"{content_type} body cannot be read: {error}") from error
    raise web.RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content type {content_type} is not supported")


def _read_matrix(body: Any, content_type: str) -> Any:
    table = (
        formats.read_libsvm(body, labelled=False)[0]
        if content_type in formats.LIBSVM
        else _read_table(body, content_type)
    )
    return importlib.import_module("xgboost").DMatrix(table)


def _write(prediction: Any, accept: str) -> bytes:
    body = formats.write(prediction, accept)
    if body is None:
        raise web.RefusedError(HTTPStatus.NOT_ACCEPTABLE, f"Accept type {accept} is not supported")
    return body


def user_module(base: Path) -> ModuleType:
    """Import the user's program; its folder goes in front of the import path, for the modules beside it.

    Raises:
        FileNotFoundError: the program is not there.
    """
    program = os.environ.get("SAGEMAKER_PROGRAM") or _DEFAULT_PROGRAM
    folder = Path(os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or base / "model" / "code")
    if not (folder / program).is_file():
        raise FileNotFoundError(f"no {program} (SAGEMAKER_PROGRAM) in {folder} (SAGEMAKER_SUBMIT_DIRECTORY)")
    path = folder / program
    sys.path.insert(0, str(path.parent))
    return importlib.import_module(path.stem)


def main(image: str) -> None:
    """Serve the model under SAGEMAKER_BASE_DIR until SIGTERM."""
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    web.serve(ScriptHandler(Functions.of(user_module(base), image), base / "model"))


if __name__ == "__main__":
    main(sys.argv[1])
