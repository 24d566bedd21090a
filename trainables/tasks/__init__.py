"""A task's batches, network, loss and activation in a training, a file each; registry: tasks."""
