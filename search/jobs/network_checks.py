"""The networks of a job, checked and measured while it costs nothing."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from search.jobs.limits import check_limits
from search.jobs.own_functions import check_own_functions
from search.jobs.searched_choices import choices_of, kinds_of
from search.options.training import JobConfig
from search.options.user_code import own_functions
from spaces.errors import InputError
from spaces.sections.mixing import BOX_CUTMIX, SNAPMIX
from spaces.sections.model import Smp, Timm
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from trainables.data.contest import Contest
from trainables.networks.networks import BuildModel
from trainables.tasks.task import Own, TrainingTask
from trainables.tasks.tasks import training_task

MANY = 10
"""Networks that take seconds to try out."""


def check_networks(
    config: JobConfig,
    baseline: TrialConfig,
    space: SearchSpace | None,
    fix: Mapping[str, Any],
    contest: Contest,
    say: Callable[[str], None],
) -> None:
    """Checks user functions, backbones, weights, optimizers, and what networks may cost.

    Args:
        config: The command's options.
        baseline: The untuned configuration.
        space: What is searched.
        fix: What is pinned, flat.
        contest: Its classes, and what is learned of them.
        say: Told what takes long.

    Raises:
        InputError: For what cannot be made, or may not be so large or slow.
    """
    task, classes = training_task(contest.task), len(contest.classes)
    check_own_functions(
        baseline,
        classes,
        task,
        model=config.model,
        loss=config.loss,
        metric=config.metric,
        prepare=config.prepare,
    )
    own = own_functions(model=config.model, loss=config.loss)
    for trained in kinds_of(baseline, space, fix):
        check_training(trained, task, own)
    networks = list(_networks(baseline, space))
    if len(networks) > MANY:
        say(f"trying {len(networks)} networks out: every backbone at every size")
    for network in networks:
        check_sizes(network)
    build = functools.partial(task.network, own=own)
    if any(trained.mix.kind == SNAPMIX for trained in kinds_of(baseline, space, fix)):
        for network in networks:
            check_mixing(network.replace(mix=SNAPMIX), classes, build)
    check_limits(config.limit, networks, classes, build, config.resources.threads, say)
    fetched = baseline.model.pretrained or baseline.model.weights
    if isinstance(baseline.model, Timm | Smp) and fetched:  # once, not by every worker
        for name in choices_of(space, "backbone") or [baseline.model.backbone]:
            build(baseline.replace(backbone=name), classes)


def check_training(config: TrialConfig, task: TrainingTask, own: Own) -> None:
    """Checks that what a configuration asks for can be made, and suits the task.

    Raises:
        InputError: If not.
    """
    from trainables.training.registries import check_makers

    check_makers(config, own)
    task.check(config)
    if config.mix.kind == BOX_CUTMIX and not config.data.focus:
        raise InputError(f"mix={BOX_CUTMIX}: there are no boxes; data.focus= names their columns")


def check_sizes(config: TrialConfig) -> None:
    """Checks that a network of ours can see images at every size that it is shown.

    Raises:
        InputError: If not.
    """
    from trainables.networks.timm_network import check_backbone

    model, data = config.model, config.data
    if isinstance(model, Timm | Smp):
        dropped = getattr(model, "drop_path", 0.0)
        check_backbone(model.backbone, data.size, data.predict_size, dropped, data.size_at(0.0))


def check_mixing(config: TrialConfig, classes: int, build: BuildModel) -> None:
    """Raises InputError unless a network has what mixing images needs of it."""
    if config.mix.kind != SNAPMIX:
        return
    from trainables.training.attention import check_attention

    with contextlib.nullcontext() if config.model.own else torch.device("meta"):
        model = build(config.replace(pretrained=False, weights=""), classes)
    check_attention(model, config.data.size, f"mix={SNAPMIX}, model={_name(config)}")


def _name(config: TrialConfig) -> str:
    return str(getattr(config.model, "backbone", config.model.kind))


def _networks(baseline: TrialConfig, space: SearchSpace | None) -> Iterator[TrialConfig]:
    """The baseline, and it with every backbone and size that may be drawn together."""
    yield baseline
    if space is None or not isinstance(baseline.model, Timm | Smp):
        return
    for name in choices_of(space, "backbone") or [baseline.model.backbone]:
        rest = space.pin({"backbone": name})
        hardest = {"drop_path": rest["drop_path"].largest} if "drop_path" in rest else {}
        if "first_share" in rest:
            hardest["first_share"] = rest["first_share"].smallest
        for size in choices_of(rest, "size") or [baseline.data.size]:
            for other in choices_of(rest, "predict_size") or [baseline.data.predict_size]:
                yield baseline.replace(backbone=name, size=size, predict_size=other, **hardest)
