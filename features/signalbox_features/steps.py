"""Custom steps: programs of the project over a chunk of rows as a pandas frame, the same for one row when serving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signalbox_features import optional
from signalbox_features.model import FeaturesError, RefusedRowError
from signalbox_features.values import WrongTypeError, reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signalbox_features.model import PandasStep, Value

    Row = dict[str, Value]


class PandasStepError(FeaturesError):
    """A step does not do what a step has to do, whatever the row."""


class StepRunner:
    """The steps of a definition. The first row of a run is held against itself alone: see `apply`."""

    def __init__(self, steps: Sequence[PandasStep]) -> None:
        self._steps = steps
        self._programs = [compile(step.code, f"<step {step.name}>", "exec") for step in steps]
        self._pandas: Any = optional.load("pandas", "a step of features.yaml") if steps else None
        self._compared = False

    def apply(self, rows: Sequence[Row]) -> list[Row | RefusedRowError]:
        """Return the rows with the columns of all steps, or what is wrong with a row.

        Raises:
            PandasStepError: a step changes the number of rows, does not add its columns, or gives a row another value
                among others than alone: where one row is served, it would be another feature.
        """
        if not self._steps or not rows:
            return list(rows)
        try:
            done = self._run(rows)
        except PandasStepError:
            raise
        except Exception:  # noqa: BLE001  # whatever a program of the project raises: it is found out which row it is
            return [self._alone(row) for row in rows]
        if not self._compared and len(rows) > 1:
            self._compare(done[0], self._alone(rows[0]))
            self._compared = True
        return done

    def _compare(self, among: Row | RefusedRowError, alone: Row | RefusedRowError) -> None:
        if isinstance(among, dict) and isinstance(alone, dict) and among != alone:
            name = next(name for name in among if among[name] != alone[name])
            raise PandasStepError(
                f"{name} of the first row is {alone[name]} alone and {among[name]} among others: a step may not look "
                "at other rows, since a model is asked about one; what has to be learnt of many is fitted, by scale or "
                "encode"
            )

    def _alone(self, row: Row) -> Row | RefusedRowError:
        try:
            return self._run([row])[0]
        except PandasStepError:
            raise
        except Exception as error:  # noqa: BLE001  # as above
            return RefusedRowError([("step", f"a step fails: {type(error).__name__}: {error}")])

    def _run(self, rows: Sequence[Row]) -> list[Row | RefusedRowError]:
        frame = self._pandas.DataFrame(list(rows))
        found: list[Row | RefusedRowError] = [dict(row) for row in rows]
        for step, program in zip(self._steps, self._programs):
            names: dict[str, Any] = {"df": frame, "pd": self._pandas}
            exec(program, names)  # noqa: S102  # a program of the project, as the code of its jobs is
            frame = names.get("df")
            self._take(step, frame, found)
        return found

    def _take(self, step: PandasStep, frame: Any, found: list[Row | RefusedRowError]) -> None:
        if not hasattr(frame, "columns") or len(frame) != len(found):
            raise PandasStepError(f"step {step.name} has to leave df with a row for each row that it got")
        for column in step.columns:
            if column.name not in frame.columns:
                raise PandasStepError(
                    f"step {step.name} leaves no column {column.name}: features.yaml says that it does"
                )
            read = reader(column.type)
            for place, value in enumerate(frame[column.name].tolist()):
                row = found[place]
                if isinstance(row, dict):
                    try:
                        row[column.name] = read(None if self._pandas.isna(value) else value)
                    except WrongTypeError as error:
                        found[place] = RefusedRowError([("step", f"{column.name} of step {step.name} {error}")])
