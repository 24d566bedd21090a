"""The tasks by name; a new one is a file and a line here, and the same in results/tasks."""

from __future__ import annotations

from spaces.errors import unknown
from trainables.tasks.classification import Classification
from trainables.tasks.multilabel_segmentation import MultilabelSegmentation
from trainables.tasks.segmentation import Segmentation
from trainables.tasks.task import TrainingTask

TRAINING_TASKS: dict[str, TrainingTask] = {
    task.name: task for task in (Classification(), Segmentation(), MultilabelSegmentation())
}


def training_task(name: str) -> TrainingTask:
    """Looks a task up.

    Raises:
        InputError: If there is none of that name; the message lists them.
    """
    if name not in TRAINING_TASKS:
        raise unknown("task", name, TRAINING_TASKS)
    return TRAINING_TASKS[name]
