"""What the trials of a job share, opened in the process that trains them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from results.records.objective import STRESS
from search.jobs.job import Job, resolve_metric
from search.options.user_code import own_functions
from spaces.augmentation.candidates import Candidates
from spaces.augmentation.stress import Stress

if TYPE_CHECKING:
    from trainables.training.context import TrainingContext


@functools.lru_cache(maxsize=1)
def trial_context(job: Job) -> TrainingContext:
    """Opens what the trials of a job share, once per process."""
    from results.masks.truth import Truth
    from trainables.data.boxes import stored_boxes
    from trainables.data.contest_corrections import stored_corrections
    from trainables.data.extra import ExtraImages
    from trainables.data.folds import Folds
    from trainables.data.image_store import ImageStore
    from trainables.data.mask_teachers import MaskTeachers
    from trainables.data.teachers import Teachers
    from trainables.tasks.tasks import training_task
    from trainables.training.context import TrainingContext

    folds = Folds.read(Path(job.folds))

    def store(path: str) -> ImageStore:
        found = ImageStore(Path(path))
        return found.copied_to(Path(job.local_store)) if job.local_store else found

    truth = Truth.read(Path(job.truth)) if job.truth else None
    corrections = None
    if job.corrections:
        path = Path(job.corrections)
        corrections = stored_corrections(path, folds.images, folds.labels, job.classes, truth)
    return TrainingContext(
        task=training_task(job.task),
        store=store(job.store),
        resized={interpolation: store(path) for interpolation, path in job.resized},
        folds=folds,
        extra=ExtraImages.read(Path(job.extra)) if job.extra else None,
        teachers={
            name: (MaskTeachers if job.truth else Teachers).read(Path(path))
            for name, path in job.teachers
        },
        classes=job.classes,
        metric=resolve_metric(job.metric, job.direction, job.task),
        own=own_functions(model=job.model, loss=job.loss),
        corrections=corrections,
        truth=truth,
        focus=stored_boxes(Path(job.folder).parent, job.focus),
        candidates=Candidates.read(Path(job.candidates)) if job.candidates else None,
        predict_test=job.predict_test,
        stress=Stress.read(Path(job.stress)) if job.stress else None,
        stress_always=job.objective == STRESS,
    )
