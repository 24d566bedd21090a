"""The images of a competition after its search: decoded once more if need be, and the same."""

from __future__ import annotations

from pathlib import Path

from results.records.trial import Trial
from results.records.trials import Search
from search.competition.standing import Standing
from search.execution.say import Say, every_second
from search.options.user_code import preparation_of
from spaces.errors import InputError
from trainables.data.boxes import stored_boxes
from trainables.data.contest import Contest
from trainables.data.extra import ExtraImages
from trainables.data.folds import Folds
from trainables.data.image_files import ImageFiles
from trainables.data.image_store import ImageStore, data_digest
from trainables.data.prepared_images import PreparedImages
from trainables.data.store_building import build_store
from trainables.portable.images import decode
from trainables.portable.preparation import Picture, Preparation


def image_files_of(search: Search) -> ImageFiles:
    """Where the images lie that a search was made with."""
    data = search.opened.data
    return ImageFiles(Path(data.root), data.train_images, data.test_images, data.extra_images)


def read_training_image(search: Search, name: str) -> Picture:
    """A training image at its own size, uint8 (height, width, 3).

    Raises:
        InputError, OSError, ValueError: If it is missing or cannot be decoded.
    """
    return decode(image_files_of(search).existing(name, "train").read_bytes())


def prepared_images(search: Search, trial: Trial, prepare: str) -> PreparedImages:
    """The images that a trial saw, to be read from their files.

    Args:
        search: Its search.
        trial: The trial.
        prepare: The team's own function, if there was one, given once more.

    Raises:
        InputError: If it was trained with another function, or its boxes are missing.
    """
    return PreparedImages(
        files=image_files_of(search),
        boxes=stored_boxes(search.folder.parent, trial.config.data.boxes),
        preparation=preparation_of(trial.config, prepare, trial.id),
    )


def open_pictures(
    standing: Standing,
    preparation: Preparation,
    boxes: str,
    say: Say,
    folder: str = "",
) -> tuple[Contest, ImageStore]:
    """The contest and the store of its images, prepared in one way.

    Args:
        standing: Where the competition stands.
        preparation: What becomes of the images.
        boxes: File of what is cut out of them; empty for none.
        say: Hears of the room that they take, and of the progress of decoding.
        folder: Where stores are kept; empty is inside the competition's folder.

    Raises:
        InputError: If an image is missing or was changed since the search.
    """
    folds = Folds.read(standing.search.folds_file)
    extra = standing.search.opened.data.extra
    contest = Contest(
        name=standing.folder.name,
        files=image_files_of(standing.search),
        train_images=folds.images,
        test_images=standing.test_images,
        labels=folds.labels,
        classes=standing.classes,
        groups=folds.groups,
        boxes=stored_boxes(standing.folder, boxes),
        extra=ExtraImages.read(standing.folder / extra) if extra else None,
        truth=standing.search.truth,
        task=standing.task.name,
    )
    where = Path(folder) if folder else standing.folder / "store"
    progress = every_second(say, "decoding images")
    store = build_store(contest, preparation, where, say, progress)
    if data_digest(contest, store) != standing.search.opened.data.digest:
        raise InputError(f"images in {standing.root} were changed since the search")
    return contest, store
