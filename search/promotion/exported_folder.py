"""Models as a folder that predicts on its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from results.records.trials import Search
from search.competition.standing import Standing
from search.options.user_code import network_builder
from search.promotion.ensemble import Ensemble
from spaces.errors import InputError
from spaces.files import whole_folder
from spaces.trial_config import TrialConfig
from trainables.inference.export import FORMAT, Trained, write_export
from trainables.portable.predictor import Build
from trainables.tasks.tasks import training_task


def export_ensemble(
    standing: Standing,
    ensemble: Ensemble,
    to: Path,
    model: str,
    *,
    onnx: bool = False,
    check: Callable[[Path], None] = lambda folder: None,
) -> None:
    """Writes models into ``to``, whole or not at all.

    Args:
        standing: Where the competition stands.
        ensemble: The models, their views and what is made of their masks.
        to: The folder to write.
        model: A team's own network, as ``module:function``; empty for timm's.
        onnx: Whether ONNX files are written, too.
        check: Raises if what was written is no good.

    Raises:
        InputError: If a checkpoint is missing, or an own network was not given.
    """
    models, search, merged = [], ensemble.search, ensemble.merged
    for arm, promotion, trial in ensemble.trainings():
        build = network_builder(promotion, trial, model)
        models.append(Trained(config=trial.config, folder=promotion.trial_folder(trial), arm=arm))
    try:
        with whole_folder(to) as temporary:
            write_export(
                temporary,
                models,
                classes=standing.classes,
                about={"competition": standing.folder.name, merged.kind: merged.id},
                threads=search.opened.threads,
                build=build,
                task=training_task(search.opened.task),
                numbers=() if search.truth is None else search.truth.numbers,
                form=None if search.truth is None else search.truth.form,
                settings=None if ensemble.processing is None else ensemble.processing.settings,
                voices=ensemble.voices,
                blend=ensemble.blend,
                onnx=onnx,
            )
            check(temporary)
    except OSError as error:
        raise InputError(f"{to}: cannot write there: {error.strerror}") from error


def is_current(exported: Path, ensemble: Ensemble) -> bool:
    """Whether an export is there and holds every training of an ensemble, and no other."""
    try:
        about = json.loads((exported / "model.json").read_text())
    except (OSError, ValueError):
        return False
    arms = [arm for arm, _, _ in ensemble.trainings()]
    return about["format"] == FORMAT and [m["arm"] for m in about["models"]] == arms


def builder(search: Search, model: str) -> Build:
    """What builds a promotion's networks from their stored configurations."""
    build = network_builder(search, search.of("fold")[0], model)
    return lambda config, classes: build(
        TrialConfig.from_json(config).replace(pretrained=False, weights=""), classes
    )
