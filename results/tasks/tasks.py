"""The tasks by name; a new one is a file and a line here, and the same in trainables/tasks."""

from __future__ import annotations

from results.tasks.classification import Classification
from results.tasks.segmentation import Segmentation
from results.tasks.task import Task
from spaces.errors import unknown

TASKS: dict[str, Task] = {task.name: task for task in (Classification(), Segmentation())}


def task_of(name: str) -> Task:
    """Looks a task up.

    Raises:
        InputError: If there is none of that name; the message lists them.
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]
