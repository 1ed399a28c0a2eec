"""XGBoost for algorithm mode, which has no use for its scikit-learn estimators.

Importing them, and scikit-learn with them, is two thirds of XGBoost's start. A module that is None in `sys.modules`
cannot be imported, and XGBoost takes that as "not installed".
"""

import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING or "sklearn" in sys.modules:
    import xgboost
else:
    cast("dict[str, None]", sys.modules)["sklearn"] = None
    try:
        import xgboost
    finally:
        del sys.modules["sklearn"]

__all__ = ["xgboost"]
