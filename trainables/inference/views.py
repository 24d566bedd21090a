"""Views of images as a trial sees them: `trainables.portable.views` after its preprocessing."""

from __future__ import annotations

from spaces.sections.data import Data
from trainables.portable.preprocessing import PREPROCESSINGS
from trainables.portable.views import Picture, before_windows, whole


def look(picture: Picture, view: str, data: Data) -> Picture:
    """A stored image as a network sees it whole.

    Args:
        picture: uint8 (side, side, 3), as the store has it.
        view: One of `trainables.portable.views.VIEWS`, or empty for the image as it is.
        data: How images are seen.

    Returns:
        uint8 (height, width, 3).
    """
    return whole(PREPROCESSINGS[data.preprocess](picture), view, data.prediction_size)


def look_at(picture: Picture, view: str, data: Data) -> Picture:
    """A stored image of which windows are cut out, at its own size, or at the view's scale.

    Args:
        picture: uint8 (height, width, 3).
        view: One of `trainables.portable.views.VIEWS`, or empty for the image as it is.
        data: How images are seen.

    Returns:
        uint8 (height, width, 3).
    """
    return before_windows(PREPROCESSINGS[data.preprocess](picture), view)
