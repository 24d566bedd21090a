"""Whether there are the images that trainings are to learn from, before anything starts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from results.metrics import Metric
from search.competition.teachers import check_rules, find_teachers
from spaces.trial_config import TrialConfig
from trainables.data.contest import Contest
from trainables.data.folds import Folds
from trainables.data.image_store import ImageStore
from trainables.data.mask_teachers import MaskTeachers
from trainables.data.samplings import check_images
from trainables.data.teachers import Teachers
from trainables.tasks.tasks import training_task
from trainables.training.context import TrainingContext


def check_learned_images(
    configs: Iterable[TrialConfig],
    among: Collection[int],
    competition: Path,
    *,
    contest: Contest,
    folds: Folds,
    store: ImageStore,
    metric: Metric,
) -> dict[str, Teachers | MaskTeachers]:
    """Puts together what each training would learn from, on each of its folds.

    Args:
        configs: The trainings.
        among: Folds that they may hold out.
        competition: The competition's folder.
        contest: Images, labels as given and corrected, and classes.
        folds: Which image is held out when.
        store: Decoded images.
        metric: The contest's metric.

    Returns:
        What the teachers of those that learn from test images say, by the promotion's name.

    Raises:
        InputError: Where a training asks for what is not there, such as groups, or for what the
            rules forbid.
    """
    trained = list(configs)
    check_rules(trained, competition)
    teachers = find_teachers(trained, competition, contest, folds)
    context = TrainingContext(
        task=training_task(contest.task),
        store=store,
        folds=folds,
        classes=contest.classes,
        metric=metric,
        extra=contest.extra,
        teachers=teachers,
        corrections=contest.corrections,
        truth=contest.truth,
    )
    for config in trained:
        for fold in among:
            check_images(config.replace(fold=fold), context)
    return teachers
