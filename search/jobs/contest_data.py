"""The contest that a command's options name."""

from __future__ import annotations

import tempfile
from pathlib import Path

from results.masks.mask_form import MaskForm
from results.tasks.classification import Classification
from results.tasks.multilabel_segmentation import MultilabelSegmentation
from results.tasks.segmentation import Segmentation
from results.tasks.task import Task
from results.tasks.tasks import task_of
from search.options.embedded import embedded_name
from search.options.groups import TEST_LIKE, DataConfig, HoldoutConfig
from spaces.errors import InputError
from spaces.names import check_name
from trainables.data.contest import Contest, load_contest
from trainables.data.embedded import EMBEDDED
from trainables.data.tables import beside


def task_of_data(data: DataConfig) -> Task:
    """What the data's targets are."""
    if not data.masked:
        return task_of(Classification.name)
    return task_of((MultilabelSegmentation if data.overlapping else Segmentation).name)


def read_contest(data: DataConfig, runs: Path, holdout: HoldoutConfig | None = None) -> Contest:
    """Reads the tables; an embedded contest is made in the runs folder, if nothing is wrong.

    Args:
        data: Where they are.
        runs: Folder for everything a run writes.
        holdout: What is held out, where that matters.

    Raises:
        InputError: For anything wrong with them, or if the runs folder cannot be written to.
    """
    if runs.exists() and not runs.is_dir():
        raise InputError(f"runs={runs} is a file, not a folder")
    embedded = embedded_name(data)
    if not embedded and not data.root:
        raise InputError("data.root is needed: the folder with the contest's tables and images")
    root = Path(data.root)
    if not embedded and not root.is_dir():
        raise InputError(f"data.root={data.root!r}: there is no such folder")
    rows = holdout.rows if holdout is not None else ""
    if data.fold and rows:
        raise InputError(
            f"data.fold={data.fold} and holdout={rows} both say what is held out: give one"
        )
    name = data.name or root.resolve().name
    try:
        check_name(name, "data.name")
    except InputError as error:  # the folder's: another is needed
        raise InputError(f"data.name= is needed, since the folder's does not do: {error}") from None
    check_writable(runs, "runs")
    if embedded:
        root = EMBEDDED[embedded](runs / data.name / "data")
    return load_contest(
        name=name,
        root=root,
        train=data.train,
        test=data.test,
        image=data.image,
        id=data.id,
        label=data.label,
        group=data.group,
        fold=data.fold,
        holdout="" if rows == TEST_LIKE else rows,
        train_images=data.train_images,
        test_images=data.test_images,
        box=data.box,
        focus=data.focus,
        extra=data.extra,
        extra_images=data.extra_images,
        classes=data.classes,
        corrections=data.corrections,
        masks=mask_form(data, root) if data.masked else None,
        kept=runs / name,
    )


def mask_form(data: DataConfig, root: Path) -> MaskForm:
    """How a contest writes its masks; tables may be relative to its folder."""
    colours, annotations = (
        beside(value, root) if value else None for value in (data.colours, data.annotations)
    )
    return MaskForm(
        column=data.mask,
        void=data.void,
        background=data.background,
        colours=colours,
        run_lengths=data.run_lengths,
        label=data.label,
        annotations=annotations,
        overlapping=data.overlapping,
    )


def check_writable(folder: Path, key: str) -> None:
    """Raises InputError unless a folder that an option names can be written to, or be made.

    Nothing is made yet: what is refused later leaves no folder behind.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(f"{key}={folder}: cannot write there: {error.strerror}") from error
