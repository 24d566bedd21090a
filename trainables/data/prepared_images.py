"""Images read anew from their files, as the store has them."""

from __future__ import annotations

from dataclasses import dataclass

from trainables.data.boxes import Boxes
from trainables.data.image_files import ImageFiles
from trainables.portable.images import decode
from trainables.portable.preparation import Picture, Preparation


@dataclass(frozen=True, kw_only=True)
class PreparedImages:
    """A contest's images by name, without their store.

    Attributes:
        files: Where they lie.
        boxes: What is cut out of them.
        preparation: What becomes of them.
    """

    files: ImageFiles
    boxes: Boxes
    preparation: Preparation

    def read(self, name: str, part: str) -> Picture:
        """An image as it is stored, uint8 (side, side, 3).

        Args:
            name: As the tables have it.
            part: ``train`` or ``test``.

        Raises:
            InputError: If there is no such file.
            ValueError: If it does not decode, or cannot be prepared.
        """
        data = self.files.existing(name, part).read_bytes()
        return self.preparation(decode(data), self.boxes.get(name))
