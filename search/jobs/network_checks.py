"""The networks of a job, checked and measured while it costs nothing."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch

from results.records.network_cost import NetworkCost
from search.execution.say import Say
from search.jobs.measured_costs import check_limits, measured_costs
from search.jobs.own_functions import check_own_functions
from search.jobs.searched_choices import categories, choices_of, kinds_of
from search.options.training import JobConfig, RunConfig
from search.options.user_code import own_functions
from spaces.errors import InputError
from spaces.sections.mixing import BOX_CUTMIX, SNAPMIX
from spaces.sections.model import IN_TRAINING, Smp, Timm
from spaces.space import SearchSpace
from spaces.trial_config import SECTIONS, TrialConfig
from trainables.data.contest import Contest
from trainables.networks.networks import BuildModel
from trainables.tasks.task import Own, TrainingTask
from trainables.tasks.tasks import training_task

MANY = 10
"""Networks that take seconds to try out."""

SIZES = ("size", "predict_size")
"""Parameters of the images that a network sees."""


def check_networks(
    config: JobConfig,
    baseline: TrialConfig,
    space: SearchSpace | None,
    fix: Mapping[str, Any],
    contest: Contest,
    say: Say,
) -> dict[str, NetworkCost]:
    """Checks user functions, backbones, weights, optimizers, and what networks may cost.

    Args:
        config: The command's options.
        baseline: The untuned configuration.
        space: What is searched.
        fix: What is pinned, flat.
        contest: Its classes, and what is learned of them.
        say: Told what takes long.

    Returns:
        What they cost, by `TrialConfig.network`; nothing where that does not count, or was measured
        when the job began.

    Raises:
        InputError: For what cannot be made, or may not be so large or slow.
    """
    task, classes = training_task(contest.task), len(contest.classes)
    check_own_functions(config, baseline, classes, task)
    own = own_functions(model=config.model, loss=config.loss)
    for trained in kinds_of(baseline, space, fix):
        check_training(trained, task, own)
    networks = list(_networks(baseline, space, {"backbone", "decoder", *SIZES}))
    if len(networks) > MANY:
        say(f"trying {len(networks)} networks out: every backbone at every size")
    for network in networks:
        check_sizes(network)
    build = functools.partial(task.network, own=own)
    for network in networks:
        if isinstance(network.model, Smp):  # not every backbone has what a decoder needs
            with torch.device("meta"):
                build(network.replace(pretrained=False, weights=""), classes)
    if any(trained.mix.kind == SNAPMIX for trained in kinds_of(baseline, space, fix)):
        for network in networks:
            check_mixing(network.replace(mix=SNAPMIX), classes, build)
    costs: dict[str, NetworkCost] = {}
    second = config.second if isinstance(config, RunConfig) else None
    if (second or config.limit.any) and not config.resume:
        timed = second == "ms_per_image" or bool(config.limit.ms_per_image)
        threads = config.resources.threads
        every = _networks(baseline, space, _costly(space))
        costs = measured_costs(every, classes, build, threads, timed=timed, say=say)
        check_limits(config.limit, baseline, costs, _fewest_members(baseline, space), say)
    fetched = baseline.model.pretrained or baseline.model.weights
    if isinstance(baseline.model, Timm | Smp) and fetched:  # once, not by every worker
        for name in choices_of(space, "backbone") or [baseline.model.backbone]:
            build(baseline.replace(backbone=name), classes)
    return costs


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
    check_attention(model, config.data.size, f"mix={SNAPMIX}, model={config.backbone}")


def _networks(
    baseline: TrialConfig, space: SearchSpace | None, names: Collection[str]
) -> Iterator[TrialConfig]:
    """The baseline, and it with all choices of some parameters that may be drawn together.

    Where trainings may begin with smaller images, or leave blocks out, they do as much as they may.
    """
    yield baseline
    if space is not None:
        yield from _drawn(baseline, space, names)


def _drawn(
    config: TrialConfig, space: SearchSpace, names: Collection[str]
) -> Iterator[TrialConfig]:
    name = next((p.name for p in space.params if p.name in names), None)
    if name is None:
        hardest = {"drop_path": space["drop_path"].largest} if "drop_path" in space else {}
        if "first_share" in space:
            hardest["first_share"] = space["first_share"].smallest
        yield config.replace(**hardest)
        return
    for choice in choices_of(space, name):
        yield from _drawn(config.with_params({name: choice}), space.pin({name: choice}), names)


def _fewest_members(baseline: TrialConfig, space: SearchSpace | None) -> int:
    """How many networks predict together at least in what may be drawn."""
    kinds = categories(space).get("averaging", [baseline.averaging.kind])
    if space is None or set(kinds) != {"ensemble"}:
        return 1
    if "ensemble_epochs" in space:
        return int(space["ensemble_epochs"].smallest)
    own = baseline.averaging.kind == "ensemble"
    return (baseline if own else baseline.replace(averaging="ensemble")).members


def _costly(space: SearchSpace | None) -> set[str]:
    """Parameters of a space that decide what predicting with a network costs."""
    models = SECTIONS["model"]
    searched = {p.name for p in space.params} if space is not None else set()
    networks = {n for n in searched if models.knows(n)}
    return {n for n in searched if n in SIZES} | {
        n
        for n in networks
        if n.rpartition(".")[2] not in IN_TRAINING  # such as timm.dropout
    }
