"""What a space's choices make of the configuration that they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution

from search.options.parameters import with_given
from spaces.augmentation.families import PIPELINES, is_policy_parameter
from spaces.augmentation.pipeline import check_batched
from spaces.errors import InputError
from spaces.shares import share_of
from spaces.size import parse_size
from spaces.space import SearchSpace
from spaces.trial_config import SECTIONS, TrialConfig, section_of

optuna.logging.set_verbosity(optuna.logging.ERROR)

DRAWS = 50
"""Draws with which a space is tried out before anything is trained."""


def check_values(
    space: SearchSpace, baseline: TrialConfig, fix: Mapping[str, Any], processes: int = 1
) -> None:
    """Checks that choices, both ends of ranges, and some draws make configurations.

    Args:
        space: What is searched.
        baseline: The untuned configuration.
        fix: What is pinned, flat.
        processes: How many share a trial's batches.

    Raises:
        InputError: Naming the parameter.
    """
    if "batch" in categories(space).get("augment_on", [baseline.data.augment_on]):
        check_batched(PIPELINES.keys() & categories(space).get("policy", []))
    alone = {name: value for name, value in fix.items() if not is_policy_parameter(name)}
    for param in space.params:
        d = param.distribution
        if isinstance(d, CategoricalDistribution):
            values: list[Any] = list(d.choices)
        else:
            values = [getattr(d, "low", 0), getattr(d, "high", 0)]
        if is_policy_parameter(param.name):
            continue  # the parts of a policy need one another: the draws below check them
        for value in values:
            try:
                share_of(baseline.with_params({**alone, param.name: value}), processes)
            except InputError as error:
                listed = isinstance(d, CategoricalDistribution)
                spared = f"drop=[{param.name}.{value}]" if listed else f"narrow.{param.name}=[…,…]"
                raise InputError(
                    f"space={space.name} draws {param.name}={value}: {error}; {spared} spares it"
                ) from None
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(DRAWS):
        share_of(baseline.with_params({**fix, **space.suggest(study.ask())}), processes)


def check_pins(space: SearchSpace, fix: Mapping[str, Any]) -> None:
    """Raises InputError for what is pinned or drawn that no configuration can have."""
    alone = {name: value for name, value in fix.items() if not is_policy_parameter(name)}
    check_values(space, with_given(TrialConfig(), alone, "fix"), fix)


def check_effect(
    params: Mapping[str, Any],
    config: TrialConfig,
    searched: Mapping[str, Sequence[Any]],
    place: str,
) -> None:
    """Raises InputError for a parameter that no training of a job has a use for.

    Args:
        params: What the user set, by flat name.
        config: The configuration with it.
        searched: Choices of parameters that are searched, such as of ``optimizer``.
        place: The option under which it was set, for messages.
    """
    for name, value in params.items():
        if is_policy_parameter(name):
            continue
        key = section_of(name)
        kinds = SECTIONS[key]
        trained = [str(k) for k in searched.get(kinds.parameter, [config.section(key).kind])]
        if not any(kinds.has(kind, name) for kind in trained):
            useful = next(kind for kind in kinds if kinds.has(kind, name))
            raise InputError(
                f"{place}.{name}={value} has no effect with {kinds.parameter}="
                f"{' or '.join(trained)}; add {place}.{kinds.parameter}={useful}"
            )


def check_model(space: SearchSpace, baseline: TrialConfig) -> None:
    """Raises InputError for a parameter of networks that no network of the search has.

    Args:
        space: What is searched.
        baseline: With what the data's task and the user say.
    """
    models = SECTIONS["model"]
    trained = categories(space).get(models.parameter, [baseline.model.kind])
    for param in space.params:
        if models.knows(param.name) and not any(models.has(kind, param.name) for kind in trained):
            useful = ", ".join(kind for kind in models if models.has(kind, param.name))
            raise InputError(
                f"space={space.name} searches {param.name}, which networks of "
                f"model={' or '.join(map(str, trained))} do not have; those of {useful} do"
                + (", which are for masks (data.mask=)" if useful == "smp" else "")
            )


def categories(space: SearchSpace | None) -> dict[str, list[Any]]:
    """The choices of every categorical parameter."""
    found = {p.name: p.distribution for p in space.params} if space is not None else {}
    return {n: list(d.choices) for n, d in found.items() if isinstance(d, CategoricalDistribution)}


def kinds_of(
    baseline: TrialConfig, space: SearchSpace | None, fix: Mapping[str, Any]
) -> Iterator[TrialConfig]:
    """The baseline, and it with every kind of a section that is searched."""
    kinds = {section.parameter for section in SECTIONS.values()}
    fixed = {name: value for name, value in fix.items() if not is_policy_parameter(name)}
    searched = categories(space)
    yield baseline
    for name, choices in searched.items():
        for choice in choices if name in kinds else ():
            yield baseline.with_params({**fixed, name: choice})
    for name in searched.get("teachers", ()):
        for kind in searched.get("pseudo", [baseline.pseudo.kind]):
            yield baseline.with_params({**fixed, "pseudo": kind, "teachers": name})


def choices_of(space: SearchSpace | None, name: str) -> list[Any]:
    """The choices of one parameter; none where it is not searched.

    Raises:
        InputError: If it is a range.
    """
    if space is None or name not in space:
        return []
    distribution = space[name].distribution
    if not isinstance(distribution, CategoricalDistribution):
        raise InputError(
            f"parameter {name!r} of space {space.name!r} has to be categorical, or pinned "
            f"(fix.{name}=…): networks are tried out before anything is trained"
        )
    return list(distribution.choices)


def sizes_of(
    baseline: TrialConfig, space: SearchSpace | None
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Sizes of training, and those of predictions, that the baseline or a sampled trial has."""
    sizes = [baseline.data.size, *(parse_size(v) for v in choices_of(space, "size"))]
    predicted = [parse_size(v) for v in choices_of(space, "predict_size")]
    return sizes, [baseline.data.predict_size, *predicted]
