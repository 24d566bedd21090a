"""What a task's targets, predictions, metrics and submissions are, a file each; registry: tasks."""
