"""A promotion as a folder that predicts on its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from results.masks.postprocess import Postprocess
from results.records.trials import Search
from search.competition.standing import Standing
from search.options.user_code import network_builder
from search.promotion.ensemble_members import Member, find_promotion, promotions
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.inference.export import FORMAT, Trained, write_export
from trainables.portable.predictor import Build
from trainables.tasks.tasks import training_task


def complete_promotion(standing: Standing, name: str) -> tuple[Search, list[Member]]:
    """A promotion with the trials that have all of their folds; the newest if ``name`` is empty.

    Raises:
        InputError: If there is none of that name, or none of its trials is complete.
    """
    if not name:
        known = list(promotions(standing))
        if not known:
            raise InputError("there is no promotion yet: python -m search.promote")
        name = known[-1]
    search = find_promotion(standing, name, f"promotion={name}")
    if not search.arms:
        raise InputError(f"promotion={name}: none of its trials has all of its folds")
    return search, [Member(name=f"{name}/{arm}", search=search, arm=arm) for arm in search.arms]


def export_promotion(
    standing: Standing,
    search: Search,
    members: list[Member],
    to: Path,
    model: str,
    *,
    settings: Postprocess | None = None,
    views: Sequence[str] = (),
    onnx: bool = False,
    check: Callable[[Path], None] = lambda folder: None,
) -> None:
    """Writes a promotion's models into ``to``, whole or not at all.

    Args:
        standing: Where the competition stands.
        search: The promotion.
        members: Its trials that have all of their folds.
        to: The folder to write.
        model: A team's own network, as ``module:function``; empty for timm's.
        settings: What is made of probabilities of masks; None for the likeliest class.
        views: In which the models look at images besides.
        onnx: Whether ONNX files are written, too.
        check: Raises if what was written is no good.

    Raises:
        InputError: If a checkpoint is missing, or an own network was not given.
    """
    models = []
    for member in members:
        # The order in which their predictions were averaged.
        for trial in sorted(member.trials(), key=lambda t: t.config.run.fold):
            build = network_builder(search, trial, model)
            folder = search.trial_folder(trial)
            models.append(Trained(config=trial.config, folder=folder, arm=member.arm))
    temporary = to.with_name(f".{to.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        write_export(
            temporary,
            models,
            classes=standing.classes,
            about={"competition": standing.folder.name, "promotion": search.id},
            threads=search.opened.threads,
            build=build,
            task=training_task(search.opened.task),
            numbers=() if search.truth is None else search.truth.numbers,
            form=None if search.truth is None else search.truth.form,
            settings=settings,
            views=views,
            onnx=onnx,
        )
        check(temporary)
        if to.exists():
            to.rmdir()
        temporary.rename(to)
    except OSError as error:
        raise InputError(f"{to}: cannot write there: {error.strerror}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def is_current(exported: Path, members: list[Member]) -> bool:
    """Whether an export is there and holds every training of these trials."""
    try:
        about = json.loads((exported / "model.json").read_text())
    except (OSError, ValueError):
        return False
    trainings = sum(len(member.trials()) for member in members)
    return about["format"] == FORMAT and len(about["models"]) == trainings


def builder(search: Search, model: str) -> Build:
    """What builds a promotion's networks from their stored configurations."""
    build = network_builder(search, search.of("fold")[0], model)
    return lambda config, classes: build(
        TrialConfig.from_json(config).replace(pretrained=False, weights=""), classes
    )
