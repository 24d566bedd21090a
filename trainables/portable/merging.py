"""What `results.masks.merging` says; an export gets that file in place of this one."""

from results.masks.merging import Blend, merged_pixels

__all__ = ["Blend", "merged_pixels"]
