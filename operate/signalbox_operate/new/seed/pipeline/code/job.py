"""Run a processing job's program, so that SageMaker shows why it failed."""

import sys
import traceback
from pathlib import Path

# Its text becomes the ExitMessage of a processing job (SageMaker AI Developer Guide, "How Amazon SageMaker Processing
# Configures Your Processing Container").
MESSAGE = Path("/opt/ml/output/message")


def told(main):
    """Run `main`; where it fails, leave the reason where SageMaker reads it, and end with 1."""
    try:
        main()
    except Exception as error:  # noqa: BLE001  # whatever it is, the job has failed of it
        traceback.print_exc()
        if MESSAGE.parents[1].is_dir():  # else this is no job, but somebody's own machine
            MESSAGE.parent.mkdir(exist_ok=True)
            MESSAGE.write_text(str(error)[:1000])
        sys.exit(1)
