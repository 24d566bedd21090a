"""A search by metric and cost: the sampler, early stopping, and the front, without training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from results.metrics import METRICS
from results.records.closing import Closed
from results.records.network_cost import NetworkCost
from results.records.opening import Past
from results.records.trials import Search
from results.reporting.front_figure import front_figure
from results.reporting.report import report, trial_rows
from results.reporting.summary import front_of, summarise
from results.stats.front import margins_behind, unbeaten
from search.options.command_line import parse
from search.options.limit import LimitConfig
from search.options.training import RunConfig
from search.planning.asha import Asha
from search.planning.asha_by_cost import AshaByCost
from search.planning.network_costs import NetworkCosts
from search.planning.sampler import Sampler
from spaces.errors import InputError
from spaces.param import Param
from spaces.space import SearchSpace
from spaces.trial_config import TrialConfig
from tests.commands import run
from tests.search.test_stress_objective import N, Record

ACCURACY = METRICS["accuracy"]

SPACE = SearchSpace(
    name="net",
    params=(
        Param(
            name="backbone",
            distribution=CategoricalDistribution(("test_resnet", "resnet18", "resnet50")),
        ),
        Param(name="lr", distribution=FloatDistribution(1e-4, 1e-2, log=True)),
    ),
)

MS = {"test_resnet": 1.0, "resnet18": 4.0, "resnet50": 9.0}


def networks(size: str = "32x32") -> dict[str, NetworkCost]:
    return {
        f"{name} at {size}": NetworkCost(parameters=int(1000 * ms), mb=ms, ms_per_image=ms)
        for name, ms in MS.items()
    }


def costs(second: Any = "ms_per_image", **limit: float) -> NetworkCosts:
    return NetworkCosts(
        baseline=TrialConfig.of(size=32),
        fix={"size": 32},
        networks=networks(),
        limit=LimitConfig(**limit),
        second=second,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["objective=[metric,ms]"], "did you mean"),
        (["objective=mb"], r"objective=mb: one of metric and stress, alone or with one of ms_per"),
        (["objective=[metric,stress]"], r"objective=\[metric,stress\]: one of metric and stress"),
        (["objective=[metric,mb,parameters]"], "one of metric and stress"),
        (["objective=[metric,mb]", "scheduler.rule=pace"], "scheduler.rule=pace goes by one score"),
        (["objective=[metric,mb]", "mode=inference"], "metric,mb: mode=inference compares by met"),
    ],
)
def test_objectives_that_make_no_sense_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(RunConfig, words)


def test_a_cost_stands_beside_the_score() -> None:
    config = parse(RunConfig, ["objective=[stress,parameters]"])
    assert (config.compared.name, config.second) == ("stress", "parameters")
    config = parse(RunConfig, [])
    assert (config.compared.name, config.second) == ("metric", None)


def test_none_is_as_good_at_a_lower_cost() -> None:
    scores, prices = [0.9, 0.8, 0.95, 0.9, 0.7], [5.0, 2.0, 9.0, 4.0, 3.0]
    assert unbeaten(ACCURACY, scores, prices) == [2, 3, 1]
    assert unbeaten(METRICS["log_loss"], scores, prices) == [4, 1]
    assert unbeaten(ACCURACY, [0.9, 0.9], [1.0, 1.0]) == [0]


def test_margins_are_those_of_paired_images() -> None:
    """Models that differ on ten images of 400 differ by 2.5 points, with known noise."""
    labels = np.zeros(400, np.int64)
    right = np.tile([0.9, 0.1], (400, 1))
    worse = right.copy()
    worse[:10] = worse[:10, ::-1]
    first, second = margins_behind(ACCURACY, labels, [right, worse])
    assert first is None
    assert second == pytest.approx(1.96 * 100 * (0.025 * 0.975 / 400) ** 0.5, rel=0.1)


def test_the_front_is_told_with_what_is_within_noise(tmp_path: Path) -> None:
    opened: dict[str, Any] = {
        "second": "ms_per_image",
        "costs": {k: v.model_dump() for k, v in networks().items()},
    }
    record = Record(tmp_path, **opened)
    record.trial(150, None, why="baseline", backbone="test_resnet", size=32)
    best = record.trial(190, None, backbone="resnet50", size=32)
    near = record.trial(188, None, backbone="resnet18", size=32)
    record.trial(180, None, backbone="resnet50", size=32)
    search = record.read()
    front = front_of(search, ACCURACY)
    assert front is not None
    assert front.trials == 4
    assert [m.trial for m in front.members] == [best, near, "s-000"]
    assert [m.told_apart for m in front.members[1:]] == [False, True]
    assert front.members[2].behind == pytest.approx(100 * 40 / N)
    closing = summarise(search, ACCURACY, 1.0, 0.0)
    record.ledger.add(Closed(state="finished", reason="", **closing, front=front))
    search = record.read()
    page = "\n".join(report(search))
    assert "Of 4 trials that ran to their end, no other beats these in both accuracy and ms" in page
    assert "1.0 ± 1.4, within noise" in page
    assert "within noise of the best is s-002, at 44 % of its cost" in page
    head, row = trial_rows(search, [search.trials[near]])
    assert row[head.index("ms per image")] == "4"
    figure = front_figure(search, front)
    shown = figure.axes[0].get_legend_handles_labels()[1]
    assert shown == ["sampled", "the baseline", "beaten by none, ± against the best"]


def test_with_one_objective_nothing_is_told(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.trial(190, None)
    search = record.read()
    assert front_of(search, ACCURACY) is None
    assert "ms per image" not in trial_rows(search, list(search.trials.values()))[0]


def test_the_sampler_is_told_both_objectives(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.trial(190, None)
    (trial,) = record.read().of("sampled")
    past = [
        Past(id="x-001", params={"backbone": "resnet50", "lr": 1e-3}, scores=(0.5,), finished=True),
        Past(
            id="x-002", params={"backbone": "resnet18", "lr": 1e-3}, scores=(0.4,), finished=False
        ),
    ]
    sampler = Sampler(SPACE, "val/accuracy", "maximize", 0, 2, (), past, costs())
    assert [t.values for t in sampler.study.trials] == [[0.5, 9.0], [0.4, 4.0]]
    for number in range(4):
        sampler.ask(f"s-{number:03d}")
    params = {"backbone": sampler.study.trials[2].params["backbone"]}
    sampler.tell(replace(trial, id="s-000", params=sampler.study.trials[2].params))
    sampler.tell(replace(trial, id="s-001", state="stopped", params=sampler.study.trials[3].params))
    sampler.tell(replace(trial, id="s-002", state="failed"))
    states = optuna.trial.TrialState
    found = sampler.study.trials[2:]
    assert found[0].values == [0.95, MS[params["backbone"]]]
    assert [t.state for t in found] == [
        states.COMPLETE,
        states.COMPLETE,
        states.FAIL,
        states.RUNNING,
    ]


def test_nothing_above_a_limit_is_drawn() -> None:
    """At random and by the model, which has learned that what it may not draw is best."""
    past = [
        Past(id=f"x-{i:03d}", params={"backbone": n, "lr": 1e-3}, scores=(ms / 10,), finished=True)
        for i, (n, ms) in enumerate(MS.items())
    ]
    for second in (None, "mb"):
        limited = costs(second, ms_per_image=5.0)
        sampler = Sampler(SPACE, "val/accuracy", "maximize", 0, 6, (), past, limited)
        drawn = {sampler.ask(f"s-{i:03d}")["backbone"] for i in range(12)}
        assert drawn == {"test_resnet", "resnet18"}


def test_epochs_that_predict_together_cost_as_many_networks(tmp_path: Path) -> None:
    """For the sampler, below a limit, and in the record."""
    drawn: dict[str, Any] = {
        "backbone": "test_resnet",
        "averaging": "ensemble",
        "ensemble_epochs": 3,
    }
    assert costs().weighed(drawn) == (3.0,)
    assert costs(ms_per_image=3.0).allow(drawn)
    assert not costs(ms_per_image=2.9).allow(drawn)
    prices = {name: cost.model_dump() for name, cost in networks().items()}
    record = Record(tmp_path, second="parameters", costs=prices)
    record.trial(180, None, **drawn, size=32, epochs=4)
    search = record.read()
    (trial,) = search.trials.values()
    assert search.cost(trial) == 3000


def test_cheaper_trials_are_not_stopped_by_dearer_ones() -> None:
    prices = {"a": 1.0, "b": 1.0, "c": 5.0, "d": 5.0, "e": 5.0}
    rule = AshaByCost(epochs=9, grace=1, reduction=2, cost=prices.__getitem__)
    plain = Asha(epochs=9, grace=1, reduction=2)
    scores = {"c": 0.9, "d": 0.8, "a": 0.5, "b": 0.4, "e": 0.45}
    stopped = {name for name, score in scores.items() if rule.judge(name, 1, score)}
    assert stopped == {"d", "b", "e"}
    assert {n for n, s in scores.items() if plain.judge(n, 1, s)} == {"d", "a", "b", "e"}
    rule.forget("c")


def test_whoever_comes_late_at_a_price_meets_all_that_cost_no_more() -> None:
    """Also those before it, whatever their prices, unless they are forgotten."""
    prices = {"a": 1.0, "b": 1.0, "c": 4.0, "d": 3.0, "e": 2.0}
    rule = AshaByCost(epochs=9, grace=1, reduction=2, cost=prices.__getitem__)
    for name, score in (("a", 0.5), ("b", 0.6), ("c", 0.9)):
        rule.judge(name, 1, score)
    rule.forget("b")
    assert rule.judge("d", 1, 0.4)  # behind a, which costs less
    assert not rule.judge("e", 1, 0.55)  # b is forgotten, c dearer


def test_a_record_that_is_read_again_stops_the_same(tmp_path: Path) -> None:
    opened: dict[str, Any] = {
        "second": "mb",
        "costs": {k: v.model_dump() for k, v in networks().items()},
    }
    record = Record(tmp_path, **opened)
    for right, name in ((180, "resnet50"), (150, "test_resnet"), (120, "test_resnet")):
        record.trial(right, None, backbone=name, size=32)
    search = record.read()
    rule = AshaByCost(
        epochs=4,
        grace=1,
        reduction=2,
        cost=lambda i: search.cost(search.trials[i]) or 0.0,
    )
    assert rule.replay(search) == {"s-002"}


@pytest.mark.slow
def test_a_front_from_the_command_line(tmp_path: Path) -> None:
    words = [
        "space=backbone(names=['test_resnet','test_vit'],sizes=['32x32'])",
        "objective=[metric,parameters]",
        "limit.mb=5",
        "trials=3",
        "confirm=0",
        "epochs=2",
        "fix.warmup_epochs=0",
    ]
    done = run(tmp_path, "run", *words, "name=f")
    assert done.returncode == 0, done.stderr
    assert "no other beats th" in done.stdout
    folder = tmp_path / "runs/digits/f"
    search = Search.read(folder)
    assert set(search.opened.costs) == {"test_resnet at 32x32", "test_vit at 32x32"}
    assert search.summary is not None
    assert search.summary.front is not None
    assert (folder / "front.png").stat().st_size > 0
    again = run(tmp_path, "run", "resume=f", "trials=4", "quiet=true")
    assert again.returncode == 0, again.stderr
    assert Search.read(folder).opened.costs == search.opened.costs
    refused = run(tmp_path, "run", *words, "limit.parameters=10", "name=g")
    assert refused.returncode == 2
    assert "above limit.parameters=10: the baseline, test_resnet at 32x32" in refused.stderr
    assert not (tmp_path / "runs/digits/g").exists()
