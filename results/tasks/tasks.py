"""The tasks by name; a new one is a file and a line here, and the same in trainables/tasks."""

from __future__ import annotations

from results.masks.truth import Truth
from results.tasks.classification import Classification
from results.tasks.multilabel_segmentation import MultilabelSegmentation
from results.tasks.segmentation import Segmentation
from results.tasks.task import Task
from spaces.errors import unknown

TASKS: dict[str, Task] = {
    task.name: task for task in (Classification(), Segmentation(), MultilabelSegmentation())
}


def task_of(name: str) -> Task:
    """Looks a task up.

    Raises:
        InputError: If there is none of that name; the message lists them.
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]


def task_of_truth(truth: Truth | None) -> Task:
    """What is learned of images with these masks, or without any."""
    if truth is None:
        return TASKS[Classification.name]
    return TASKS[(MultilabelSegmentation if truth.overlapping else Segmentation).name]
