"""What trained a package: the job that SageMaker names in the place of its model. For people, and for the costs."""

import re
from typing import TYPE_CHECKING

from signalbox.aws.errors import CallRefusedError
from signalbox.aws.model import ModelPackage
from signalbox.aws.training_jobs import TrainingJob, TrainingJobs
from signalbox.observability import logger

if TYPE_CHECKING:
    from signalbox.contracts.training import Fleet, Trained

# SageMaker writes a model to `<S3OutputPath>/<job>/output/model.tar.gz` (Developer Guide, "How Amazon SageMaker AI
# processes training output").
_PLACE = r"s3://.+/(?P<job>[A-Za-z0-9-]{1,63})/output/model\.tar\.gz"


def of(package: ModelPackage, jobs: TrainingJobs) -> "Trained | None":
    """Return the training job whose model a package has; None where it has none that can be seen.

    Raises:
        ServiceBusyError: SageMaker could not answer in this moment.
    """
    place = package.containers[0].model_data if package.containers else None
    named = re.fullmatch(_PLACE, place or "")
    if named is None:
        return None
    try:
        job = jobs.find(named["job"])
    except CallRefusedError as error:
        logger.warning("training job not read", extra={"job": named["job"], "reason": str(error)})
        return None
    if job is None or job.model_data != place:
        return None
    return {"job": named["job"], "seconds": job.seconds, "fleet": _fleet(job)}


def _fleet(job: TrainingJob) -> "Fleet | None":
    if not job.instance_type:
        return None
    return {"instance_type": job.instance_type, "instance_count": job.instance_count}
