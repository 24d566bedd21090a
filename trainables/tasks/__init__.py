"""What a training does with a kind of targets, a file each; the other half is in results/tasks."""
