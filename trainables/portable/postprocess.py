"""What `results.masks.postprocess` says; an export gets that file in place of this one."""

from results.masks.postprocess import Form, Occurs, Postprocess

__all__ = ["Form", "Occurs", "Postprocess"]
