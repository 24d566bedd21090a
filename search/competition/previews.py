"""A picture of what policies do to a contest's images."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from results.masks.label_map import nearest
from results.masks.overlay import overlay
from results.reporting.policy_sheet import policy_sheet
from search.jobs.contest_data import read_contest, task_of_data
from search.jobs.own_functions import check_pipelines
from search.options.audit import PreviewConfig
from search.options.exit_codes import OK
from search.options.parameters import flatten, with_given
from search.options.search_space import resolve_space
from search.options.user_code import preparation_of
from search.planning.spread import spread_draw
from spaces.augmentation.families import describe_policy, is_policy_parameter
from spaces.errors import InputError
from spaces.files import whole_file
from spaces.sections.data import DATA
from spaces.trial_config import TrialConfig
from spaces.value import Value
from trainables.data.contest import Contest
from trainables.data.image_store import store_side
from trainables.data.prepared_images import PreparedImages
from trainables.data.training_views import TrainingViews

Pixels = NDArray[np.uint8]

Row = tuple[str, TrialConfig, int]
"""What is shown, in words, and the configuration and epoch in which it happens."""


def preview(config: PreviewConfig) -> int:
    """Draws, writes and says where; returns the exit code.

    Raises:
        InputError: If the tables or an image cannot be read, or what is asked for does not fit.
    """
    rows = list(_rows(config))
    contest = read_contest(config.data, Path(config.runs))
    for _, found, _ in rows:
        masks = contest.truth is not None
        check_pipelines(
            found.policy.pipelines(), [found.data.size, found.data.size_at(0.0)], masks=masks
        )
    to = Path(config.to) if config.to else Path(config.runs) / contest.name / "preview.png"
    if config.to and not to.resolve().parent.is_dir():
        raise InputError(f"to={config.to}: there is no folder {to.resolve().parent}")
    shown = _spread(contest, config.images)
    sheet = [(words, _views(config, contest, shown, c, epoch)) for words, c, epoch in rows]
    plain = rows[0][1].with_params({"policy": "none"})
    figure = policy_sheet([("as they are", _views(config, contest, shown, plain, 1)), *sheet])
    to.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(to) as temporary:
        figure.savefig(temporary, format="png", dpi=100)
    for words, _, _ in rows:
        print(words.replace("\n", "\n  "))
    print(f"{to}: {len(rows)} rows of {len(shown)} images")
    if config.json:
        print(json.dumps({"id": contest.name, "path": str(to)}))
    return OK


def _rows(config: PreviewConfig) -> Iterator[Row]:
    """What each row shows: draws of a space, or one policy over its epochs."""
    fix = flatten(config.fix)
    task = task_of_data(config.data)
    own = {**task.defaults, **flatten(config.data.baseline)}
    base = with_given(TrialConfig(), own, "data.baseline")
    base = base.replace(
        seed=config.seed,
        framing="windows" if config.data.shape == "native" else "resized",
        shape=config.data.shape,
        interpolation=config.data.interpolation or base.data.interpolation,
        prepare=config.prepare,
    )
    if not config.space:
        only = with_given(base, fix, "fix")
        words, last = describe_policy(only.policy), only.run.epochs
        same = not only.policy.stages and only.data.first_share == 1 and base.data.shape != "native"
        count = 1 if same else min(config.rows, last)  # nothing changes from epoch to epoch
        for epoch in np.unique(np.linspace(1, last, count).round().astype(int)):
            yield f"epoch {epoch} of {last}\n{words}", only, int(epoch)
        return
    space = resolve_space(config.space, fix, flatten(config.narrow), config.drop)
    if not any(is_policy_parameter(p.name) or DATA.knows(p.name) for p in space.params):
        raise InputError(
            f"space={space.name} draws nothing that a picture shows, so that all rows would be "
            "alike: space=aug_policy draws policies; fix.policy=trivial_augment, without space=, "
            "shows one"
        )
    drawn: list[dict[str, Value]] = []
    for number in range(config.rows):
        params = spread_draw(space, drawn, [config.seed, number])
        drawn.append(params)
        found = base.with_params({**fix, **params})
        looks = "".join(f"{n}={v}\n" for n, v in params.items() if DATA.knows(n))
        yield f"draw {number + 1}\n{looks}{describe_policy(found.policy)}", found, 1


def _spread(contest: Contest, count: int) -> list[int]:
    """Rows of training images, spread over the classes."""
    order = np.argsort(contest.labels, kind="stable")
    places = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return [int(row) for row in order[places]]


def _views(
    config: PreviewConfig, contest: Contest, rows: list[int], shown: TrialConfig, epoch: int
) -> list[Pixels]:
    """Training images as a training sees them, with their masks laid over, if there are any."""
    native, data = config.data.shape == "native", shown.data
    if not native and not data.store_side:
        shown = shown.replace(store_side=store_side(max(data.size)))
    images = PreparedImages(
        files=contest.files,
        boxes=contest.boxes,
        preparation=preparation_of(shown, config.prepare, "search.preview"),
    )
    views = TrainingViews(shown, 0 if native else shown.data.store_side)
    return [_view(contest, images, views, row, epoch) for row in rows]


def _view(
    contest: Contest, images: PreparedImages, views: TrainingViews, row: int, epoch: int
) -> Pixels:
    name = contest.train_images[row]
    try:
        picture = images.read(name, "train")
    except ValueError as error:
        raise InputError(f"{name}: {error}") from error
    truth = contest.truth
    if truth is None:
        return views(picture, None, epoch, row)["image"]
    mask = nearest(np.ascontiguousarray(truth.masks[row]), *picture.shape[:2])
    view = views(picture, mask, epoch, row)
    return overlay(view["image"], truth.compared(view["mask"]))
