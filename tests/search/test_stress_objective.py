"""A search by its score under a stress, and that score in the tournament, without training."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from results.leaderboard.entries import Assessed
from results.leaderboard.leaderboard import Leaderboard
from results.metrics import METRICS
from results.predictions import Predictions
from results.records.closing import Closed
from results.records.ledger import Ledger
from results.records.trials import Search
from results.reporting.report import report, trial_rows, verdict
from results.reporting.summary import confirmed, summarise
from results.reporting.trust_report import trust_page
from results.trust.band import BandRule
from results.trust.validation import PLAIN, STRESS
from search.competition.assessment import assess_standing
from search.competition.standing import Standing, open_standing
from search.competition.validation_scores import find_validation_scores
from search.competition.yardstick import in_force
from search.jobs.contest_stress import find_stress
from search.options.analysis import TrustConfig
from search.options.command_line import parse
from search.options.training import RunConfig
from search.planning.asha import Asha
from search.planning.early_stopping import SCORE
from search.planning.sampler import Sampler
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.errors import InputError
from spaces.ready.schedule import schedule
from spaces.trial_config import TrialConfig
from tests.records import draft, ended, job_event, opening_event, started
from tests.search.test_holdout_options import bright, options
from tests.search.test_job import prepared
from tests.trainables.test_stress import stress
from trainables.data.contest import load_contest

__all__ = ["bright"]

ACCURACY = METRICS["accuracy"]
N = 200
NAMES = tuple(f"{i}.png" for i in range(2 * N))
LABELS = np.arange(2 * N) % 2


def predicted(right: int, fold: int = 0) -> Predictions:
    """Predictions of a fold's images of which so many, the first, are right."""
    labels = LABELS[fold * N : (fold + 1) * N]
    told = np.where(np.arange(N) < right, labels, 1 - labels)
    return Predictions.of_classes(
        images=NAMES[fold * N : (fold + 1) * N],
        classes=("a", "b"),
        probabilities=(0.8 * np.eye(2)[told] + 0.1).astype(np.float32),
    )


class Record:
    """A search whose trials have predictions with and without a stress."""

    def __init__(self, runs: Path, name: str = "s", **opened: Any) -> None:
        self.competition = runs / "c"
        self.folder = self.competition / name
        self.competition.mkdir(parents=True, exist_ok=True)
        folds = pd.DataFrame({"image": NAMES, "label": LABELS, "fold": [0] * N + [1] * N})
        folds.to_csv(self.competition / "folds-f1.csv", index=False)
        pd.DataFrame({"image": []}).to_csv(self.competition / "test-t1.csv", index=False)
        self.name, self.count, self.ledger = name, 0, Ledger(self.folder / "ledger.jsonl")
        digests = {"space": "", "code": "", "own": "", "stress": "x"}
        fields = {"digests": digests, "confirm": 2, **opened}
        baseline = TrialConfig.of(epochs=1, warmup_epochs=0)
        self.ledger.add(opening_event(name, baseline, **fields))

    def trial(
        self,
        right: int,
        stressed: int | None,
        why: str = "sampled",
        arm: str = "",
        **config: Any,
    ) -> str:
        fold = int(config.get("fold", 0))
        lr = 1e-3 * (1 + self.count)
        made = TrialConfig.of(epochs=1, warmup_epochs=0).replace(**{"lr": lr, **config})
        trial = f"{self.name}-{self.count:03d}"
        folder = self.folder / "trials" / trial
        metrics = {"val/accuracy": right / N}
        predicted(right, fold).write(folder / "holdout.npz")
        if stressed is not None:
            predicted(stressed, fold).write(folder / "stress.npz")
            metrics["stress/accuracy"] = stressed / N
        seconds = {"total": 1.0, "feed": 0.1, "compute": 0.8}
        report = {"epoch": 1, "metrics": metrics, "seconds": seconds, "images": 10}
        params = {"lr": made.optimizer.lr} if why == "sampled" else {}
        self.ledger.add(started(trial, made, why=why, arm=arm, params=params, digest=made.digest))
        self.ledger.add(job_event("epoch", trial=trial, report=report))
        self.ledger.add(ended(trial))
        self.count += 1
        return trial

    def read(self) -> Search:
        self.ledger.commit()
        return Search.read(self.folder)


def test_a_search_chooses_by_its_objective(tmp_path: Path) -> None:
    for name, best in (("metric", "s-000"), ("stress", "s-001")):
        record = Record(tmp_path / name, objective=name)
        record.trial(190, 120)
        record.trial(150, 160)
        search = record.read()
        winner = search.best(search.of("sampled"))
        assert winner is not None
        assert winner.id == best
        assert search.key == ("val/accuracy" if name == "metric" else "stress/accuracy")
        sampler = Sampler(schedule(), search.key, "maximize", 0, 2, list(search.trials.values()))
        shown = [t.value for t in sampler.study.trials]
        assert shown == ([0.95, 0.75] if name == "metric" else [0.6, 0.8])
        asha = Asha(epochs=4, grace=1, reduction=2)
        trials = {
            i: dataclasses.replace(t, config=t.config.replace(epochs=4))
            for i, t in search.trials.items()
        }
        asha.replay(dataclasses.replace(search, trials=trials))
        rung = asha.rungs[1]
        assert rung[best] == max(rung.values()), SCORE
        head, first, _ = trial_rows(search, list(search.trials.values()))
        assert head[3] == ("accuracy" if name == "metric" else "stress/accuracy")
        assert first[3] == ("0.9500" if name == "metric" else "0.6000")


def test_the_confirmation_compares_on_the_objective_and_says_so(tmp_path: Path) -> None:
    """On the hold-out the winner loses; under the stress it is far ahead."""
    record = Record(tmp_path, objective="stress")
    record.trial(150, 150, why="baseline")
    record.trial(150, 160)
    policy = trivial_augment()
    for seed in (1, 2):
        winner: dict[str, Any] = {"seed": seed, "fold": 1, "lr": 2e-3}
        record.trial(120, 190, why="confirm", arm="winner", **winner)
        record.trial(180, 100, why="confirm", arm="TrivialAugment", policy=policy, **winner)
    search = record.read()
    (found,) = confirmed(search, ACCURACY)
    assert found.verdict == "beats"
    assert found.candidate_score == pytest.approx(0.95)
    closing = summarise(search, ACCURACY, 1.0, 0.0)
    record.ledger.add(Closed(state="finished", reason="", **closing))
    search = record.read()
    assert verdict(search).startswith(
        "On images like the hold-out under the stress that moves them towards the test, which did "
        "not choose it, the winner beats TrivialAugment"
    )
    assert "stress/accuracy" in "\n".join(report(search))


def scored(runs: Path, **opened: Any) -> Record:
    """Ten trials, scored by a leaderboard that follows the stress and not the hold-out."""
    record = Record(runs, **opened)
    for i in range(10):
        record.trial(170 + (i * 7) % 10, 120 + 3 * i)
    record.ledger.commit()
    leaderboard = Leaderboard.read(record.competition)
    for i in range(10):
        made = leaderboard.add_submission(f"s-{i:03d}", draft(record.competition))
        leaderboard.add_score(made.id, public=0.5 + 0.02 * i, private=None, images=1000)
    return record


def opened_at(runs: Path) -> tuple[TrustConfig, Standing]:
    config = parse(TrustConfig, [f"runs={runs}"])
    return config, open_standing(config, rule=BandRule(points=30))


def test_the_stress_competes_and_what_it_wins_is_honoured(tmp_path: Path) -> None:
    record = scored(tmp_path)
    config, standing = opened_at(tmp_path)
    assert standing.pool[0].score == 179 / N
    offered = find_validation_scores(config, standing)
    assert STRESS in offered.validations
    trust = assess_standing(standing, offered)
    contender = next(c for c in trust.contenders if c.name == "stress")
    assert contender.tau.value == pytest.approx(1)
    assert trust.chosen == "stress"
    assert trust.band[0] == "s-009"
    assert trust.validation["s-009"] == pytest.approx(100 * 147 / N)
    assert "stress" in "\n".join(trust_page(trust, "c", ACCURACY, N, offered.absent))
    standing.leaderboard.add_assessment(
        Assessed(
            frozen=False,
            verdict=trust.verdict,
            validation=trust.chosen,
            metric="accuracy",
            folds="f1",
            scored=10,
            evidence=trust.evidence,
            chance=trust.regret.chance,
        )
    )
    _, after = opened_at(tmp_path)
    assert in_force(after) == STRESS
    assert [c.id for c in after.pool[:2]] == ["s-009", "s-008"]
    assert after.band[0] == "s-009"
    assert after.as_good(after.pool)[0] == "s-009"
    # A trial that has not predicted under it comes last, and the score is watched only.
    late = record.trial(199, None)
    record.ledger.commit()
    config, standing = opened_at(tmp_path)
    assert standing.pool[-1].id == late
    offered = find_validation_scores(config, standing)
    assert STRESS not in offered.validations
    assert offered.absent["stress"].startswith("1 of 11 trials have not predicted under it")
    assert offered.watched["stress"]["s-009"] == 147 / N
    watched = assess_standing(standing, offered)
    assert watched.chosen != "stress"
    page = "\n".join(trust_page(watched, "c", ACCURACY, N, offered.absent))
    assert "of those that have it" in page


def test_why_it_does_not_compete(tmp_path: Path) -> None:
    scored(tmp_path / "other", digests={"space": "", "code": "", "own": "", "stress": ""})
    config, standing = opened_at(tmp_path / "other")
    offered = find_validation_scores(config, standing)
    assert offered.absent["stress"] == "no trial has predicted under one (predict.stress=)"
    assert in_force(standing) == PLAIN
    record = scored(tmp_path / "rules")
    Leaderboard.read(record.competition).set_rules(test_images=False)
    config, standing = opened_at(tmp_path / "rules")
    assert "rules.test_images=false" in find_validation_scores(config, standing).absent["stress"]


def test_a_job_finds_its_stress_or_says_how_to_fit_one(bright: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    with pytest.raises(InputError, match=r"did you mean stress"):
        parse(RunConfig, ["objective=stres"])
    with pytest.raises(InputError, match=r"predict\.stress=auto: no stress .*search\.stress"):
        prepared(runs, *options(bright), "objective=stress")
    with pytest.raises(InputError, match=r"predict\.stress=nowhere\.json: there is no such file"):
        prepared(runs, *options(bright), "predict.stress=nowhere.json")
    contest = load_contest(name="bright", root=bright)
    own = dataclasses.replace(stress(blur=0.5), data=contest.files_digest)
    own.write(runs / "bright")
    stress(noise=0.5).write(runs / "bright")  # fitted to other images
    job = prepared(runs, *options(bright), "objective=stress")
    assert job.job.objective == "stress"
    assert Path(job.job.stress).name == f"stress-{own.digest}.json"
    assert job.opening.digests.stress == own.digest
    name = job.opening.options["predict"]["stress"]
    again, _ = find_stress(
        parse(RunConfig, [f"runs={runs}", f"predict.stress={name}"]), contest, runs
    )
    assert again == own
    plain = prepared(runs, *options(bright))
    assert plain.job.stress == plain.opening.digests.stress == ""
    Leaderboard.read(runs / "bright").set_rules(test_images=False)
    with pytest.raises(InputError, match=r"rules\.test_images=false"):
        prepared(runs, *options(bright), "predict.stress=auto")
