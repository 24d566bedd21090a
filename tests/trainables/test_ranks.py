"""Trainings whose batches several processes share, here with gloo on a CPU."""

from __future__ import annotations

import dataclasses
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from results.predictions import Predictions
from results.records.trial import Trial
from search.execution import rank_group as rank_groups
from search.execution.exit_note import ExitNote
from search.execution.faults import after_fault, fault_of
from search.execution.rank_group import rank_group
from spaces.augmentation.trivial_augment import trivial_augment
from spaces.errors import InputError
from spaces.shares import share_of
from spaces.trial_config import TrialConfig
from tests.sharing import job_of, shared
from tests.trainables.conftest import SMALL
from trainables.training.checkpoint import Checkpoint
from trainables.training.context import TrainingContext
from trainables.training.fit import fit
from trainables.training.mixmatch import MixMatchState
from trainables.training.ranks import PROCESSES, RankError, Ranks
from trainables.training.state import TrainingState


class Other(Ranks):
    """One of several processes, without the others."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


def weights(config: TrialConfig, folder: Path) -> dict[str, torch.Tensor]:
    checkpoint, _ = Checkpoint.newest(folder, config)
    assert checkpoint is not None
    return dict(checkpoint.states["model"])


def followers() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [c for c in children if any("rank_process" in word for word in c.cmdline())]


def compare(config: TrialConfig, context: TrainingContext, folder: Path) -> None:
    """Two processes against one that computes the same micro-batches in turn."""
    cut = share_of(config, 2)
    alone = list(fit(cut, context, folder / "alone"))
    both = list(shared(config, context, folder / "both"))
    one, two = weights(cut, folder / "alone"), weights(config, folder / "both")
    assert one.keys() == two.keys()
    for name, value in one.items():
        if "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(two[name], value, rtol=1e-5, atol=1e-5)
    for a, b in zip(alone, both, strict=True):
        assert b.report["metrics"]["train/loss"] == pytest.approx(a.report["metrics"]["train/loss"])
        assert b.report["images"] == a.report["images"]
        assert PROCESSES not in a.report["metrics"]
        assert b.report["metrics"][PROCESSES] == 2.0
    assert not followers()


def test_what_two_compute_is_what_one_computes_in_two_passes(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    task = dataclasses.replace(task, predict_test=False)
    compare(small.replace(policy=trivial_augment(), label_smoothing=0.1), task, tmp_path)


def test_masks_and_a_loss_over_areas(squashed: TrainingContext, tmp_path: Path) -> None:
    squashed = dataclasses.replace(squashed, predict_test=False)
    small = {**SMALL, "decoder": "unet", "loss": "dice"}  # other decoders drop out
    config = TrialConfig().with_params(small).replace(store_side=64)
    compare(config, squashed, tmp_path)


def test_a_process_that_is_killed_costs_nothing_but_time(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    config = small.replace(
        mix="cutmix", dropout=0.2, averaging="ema", ema_decay=0.9, sam_radius=0.05
    )
    whole = list(shared(config, task, tmp_path / "whole"))
    beats, lost = 0, []  # type: ignore[var-annotated]

    def beat() -> None:
        nonlocal beats
        beats += 1
        if killing and beats == 3:
            followers()[0].kill()

    killing = False
    broken = shared(config, task, tmp_path / "broken", beat=beat, lost=lost)
    first = next(broken)
    beats, killing = 0, True
    begun = time.monotonic()
    with pytest.raises(RankError) as told:
        next(broken)
    assert time.monotonic() - begun < 60
    assert fault_of(told.value) == "death"
    assert lost == [ExitNote(fault="death", reason="process 2 of 2 died: killed by signal 9")]
    assert not followers()
    again, last = shared(config, task, tmp_path / "broken")
    assert first.report["metrics"] == again.report["metrics"] == whole[0].report["metrics"]
    assert last.report["metrics"] == whole[1].report["metrics"]
    one, two = (Predictions.read(tmp_path / f / "test.npz") for f in ("whole", "broken"))
    np.testing.assert_array_equal(one.judged, two.judged)


def test_no_process_outlives_the_trainer(
    task: TrainingContext, small: TrialConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAULTS_SEEN", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    config = small.replace(model="tests.faulty:stuck")

    def train() -> None:
        list(shared(config, task, tmp_path / "t"))

    trainer = multiprocessing.get_context("fork").Process(target=train)
    trainer.start()
    while not (tmp_path / "stuck").exists():
        assert trainer.is_alive()
        time.sleep(0.1)
    (follower,) = psutil.Process(trainer.pid).children()
    trainer.kill()
    trainer.join()
    follower.wait(timeout=60)
    assert not list(tmp_path.glob("holdfold-ranks-*"))


def test_what_goes_wrong_in_another_process_is_told(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    lost: list[ExitNote] = []
    config = small.replace(model="tests.faulty:short_of_memory")
    begun = time.monotonic()
    with pytest.raises(RankError):
        list(shared(config, task, tmp_path / "t", lost=lost))
    assert time.monotonic() - begun < 60
    (note,) = lost
    assert (note.fault, note.reason) == ("memory", "process 2 of 2: MemoryError: no room here")
    assert "in _no_room" in note.traceback


def test_one_that_cannot_begin_is_told_at_once(
    task: TrainingContext, small: TrialConfig, tmp_path: Path
) -> None:
    """The trainer, which waits for it, cannot find the same yet."""
    lost: list[ExitNote] = []
    job = dataclasses.replace(job_of(task, tmp_path), parts=("there_is_no_such_module",))
    begun = time.monotonic()
    with (
        pytest.raises(RankError, match="did not start"),
        rank_group(job, small, tmp_path / "t", lambda: None, lost.append),
    ):
        pass
    assert time.monotonic() - begun < 60
    (note,) = lost
    assert note.fault == "death"
    assert note.reason.startswith("process 2 of 2: InputError: parts=there_is_no_such_module")
    assert not followers()


def test_one_that_never_begins_is_waited_for_so_long_and_no_longer(
    task: TrainingContext, small: TrialConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rank_groups, "STARTING", 0.0)
    monkeypatch.setattr(rank_groups, "PATIENCE", 0.1)
    with (
        pytest.raises(RankError, match="did not start in 0 s"),
        rank_group(job_of(task, tmp_path), small, tmp_path / "t", lambda: None, lambda note: None),
    ):
        pass
    assert not followers()


def test_out_of_memory_is_halved_only_where_it_can_be_shared_out() -> None:
    config = TrialConfig.of(batch=50)
    trial = Trial(
        id="t-000", number=0, why="sampled", arm="", params={}, config=config, started=0.0
    )
    assert after_fault(trial, "memory", "no room").changes == {"micro_batch": 25}
    then = after_fault(trial, "memory", "no room", processes=2)
    assert not then.again
    assert then.reason.startswith("out of memory with 50 images")


def test_every_batch_is_of_one_process(task: TrainingContext, small: TrialConfig) -> None:
    config = small.replace(batch=24, micro_batch=12, policy=trivial_augment())
    alone = TrainingState(share_of(config, 3), task, 0)
    assert len(alone.loader) == 6 * alone.steps
    shares = [TrainingState(config, task, 0, Other(rank, 3)) for rank in range(3)]
    assert {share.steps for share in shares} == {alone.steps}
    parts = [list(share.batches(2)) for share in shares]
    for number, batch in enumerate(alone.batches(2)):
        same = parts[number % 3][number // 3]
        assert torch.equal(batch.pictures, same.pictures)
        assert torch.equal(batch.targets, same.targets)


def test_views_of_unlabelled_images_go_along(task: TrainingContext, small: TrialConfig) -> None:
    config = small.replace(action="mixmatch")
    alone = MixMatchState(share_of(config, 2), task, 0)
    shares = [MixMatchState(config, task, 0, Other(rank, 2)) for rank in range(2)]
    parts = [list(share.batches(1)) for share in shares]
    for number, (labelled, views) in enumerate(alone.batches(1)):
        same, their_views = parts[number % 2][number // 2]
        assert torch.equal(labelled.pictures, same.pictures)
        assert torch.equal(views, their_views)


@pytest.mark.parametrize(
    ("settings", "processes", "words"),
    [
        ({"batch": 50}, 4, "batch=50: 4 processes cannot share 50 images at once evenly"),
        ({"batch": 128, "micro_batch": 2}, 4, "batch=128: 4 processes cannot share 2 images"),
        (
            {"batch": 6, "mix": "cutmix"},
            2,
            "batch=6: 2 processes cannot share 6 images at once in pairs, which mix=cutmix mixes",
        ),
    ],
)
def test_batches_that_cannot_be_shared_out(
    settings: dict[str, object], processes: int, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        share_of(TrialConfig.of(**settings), processes)
    config = TrialConfig.of(batch=50)
    assert share_of(config, 1) is config
    assert share_of(config, 2).run.images_at_once == 25
