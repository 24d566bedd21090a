"""The images of a competition after its search: decoded once more if need be, and the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from results.records.trials import Search
from search.competition.standing import Standing
from search.execution.progress import every_second
from spaces.errors import InputError
from trainables.data.contest import Contest
from trainables.data.folds import Folds
from trainables.data.image_files import ImageFiles
from trainables.data.image_store import ImageStore, build_store


def image_files_of(search: Search) -> ImageFiles:
    """Where the images lie that a search was made with."""
    data = search.opened.data
    return ImageFiles(Path(data.root), data.train_images, data.test_images)


def open_pictures(
    standing: Standing, side: int, say: Callable[[str], None], folder: str = ""
) -> tuple[Contest, ImageStore]:
    """The contest and the store of its images at one side.

    Args:
        standing: Where the competition stands.
        side: Height and width in pixels.
        say: Hears of the progress of decoding.
        folder: Where stores are kept; empty is inside the competition's folder.

    Raises:
        InputError: If an image is missing or was changed since the search.
    """
    folds = Folds.read(standing.search.folds_file)
    contest = Contest(
        name=standing.folder.name,
        files=image_files_of(standing.search),
        train_images=folds.images,
        test_images=standing.test_images,
        labels=folds.labels,
        classes=standing.classes,
        groups=folds.groups,
        task=standing.task.name,
    )
    where = Path(folder) if folder else standing.folder / "store"
    store = build_store(contest, side, where, progress=every_second(say, "decoding images"))
    if store.digest != standing.search.opened.data.digest:
        raise InputError(f"images in {standing.root} were changed since the search")
    return contest, store
