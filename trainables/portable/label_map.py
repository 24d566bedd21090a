"""What `results.masks.label_map` says; an export gets that file in place of this one."""

from results.masks.label_map import at_size, class_planes, label_map

__all__ = ["at_size", "class_planes", "label_map"]
