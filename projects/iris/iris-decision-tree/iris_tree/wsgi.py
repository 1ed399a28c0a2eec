"""What gunicorn loads: the app, with its model read before the workers are forked, so that they share its memory."""

from iris_tree.predictor import app, load_model

load_model()

__all__ = ["app"]
