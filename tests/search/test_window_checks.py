"""Windows beside images of 48 x 64 and 40 x 56: larger ones are told before anything trains."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from search.jobs.baseline import base_config
from search.jobs.contest_data import read_contest
from search.jobs.preparation import prepare
from search.jobs.window_checks import window_warnings
from search.options.command_line import parse
from search.options.training import TrainConfig
from spaces.errors import InputError
from spaces.param import Param
from spaces.space import SearchSpace
from tests.mask_contests import written

NETWORK = ("fix.backbone=test_resnet", "fix.decoder=pspnet", "fix.decoder_width=0.25")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("windows")
    told = written(folder / "scenes", "numbers")
    asked = ["data.group=sequence", "holdout.folds=2", "data.shape=native", "name=x"]
    return [f"runs={folder / 'runs'}", *told, *asked]


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        (
            ["fix.size=128"],
            "windows of size=128x128 are more than 2 times as high as all 8 training images, the "
            "largest 'train/000.png' with 48 x 64 (height x width): most of them would be border; "
            "fix.size=64x64 holds a whole image, or data.shape=squash",
        ),
        (
            ["fix.size=32", "fix.predict_size=160"],
            "windows of predict_size=160x160 are more than 2 times as high and wide as all 8 tr",
        ),
        (
            ["fix.size=64x128", "fix.window_scale=0.75"],
            "windows of size=64x128 are more than 2 times as wide as all 8 training images, the "
            "largest 'train/000.png' with 48 x 64 (height x width), 36 x 48 at window_scale=0.75: "
            "most of them would be border; fix.size=64x64 holds a whole image, or a larger "
            "fix.window_scale=",
        ),
    ],
)
def test_windows_that_are_border_for_the_most_part_are_refused(
    options: list[str], tmp_path: Path, fix: list[str], words: str
) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        prepare(parse(TrainConfig, [f"runs={tmp_path}", *options[1:], *NETWORK, *fix]), "train")
    assert not list(tmp_path.rglob("*.u8"))


def test_windows_larger_than_some_images_are_told(options: list[str]) -> None:
    (told,) = prepare(parse(TrainConfig, [*options, *NETWORK, "fix.size=32x64"]), "train").warnings
    assert told == (
        "4 of 8 training images are smaller than windows of size=32x64, the smallest "
        "'train/004.png' with 40 x 56 (height x width): windows see a mirrored border where they "
        "are predicted, and a void one in training"
    )
    assert not prepare(parse(TrainConfig, [*options, *NETWORK, "fix.size=32"]), "train").warnings
    large = [*options, *NETWORK, "fix.size=64"]
    all_of_them, tested = prepare(parse(TrainConfig, large), "t").warnings
    assert all_of_them.startswith("8 of 8 training images are smaller than windows of size=64x64")
    assert tested.startswith("4 of 4 test images are smaller than windows of size=64x64, the small")
    assert tested.endswith(
        "(height x width): windows see a mirrored border where they are predicted"
    )
    assert not prepare(parse(TrainConfig, [*large[:-1], "fix.size=32"]), "t").warnings
    apart = [*options, *NETWORK, "fix.size=32", "fix.predict_size=64"]
    both = prepare(parse(TrainConfig, apart), "t").warnings
    assert [" of predict_size=64x64, the smallest" in words for words in both] == [True, True]


def test_all_that_a_space_may_draw_counts(options: list[str]) -> None:
    config = parse(TrainConfig, [*options, "fix.size=32"])
    contest = read_contest(config.data, Path(config.runs))
    sizes = Param(name="size", distribution=CategoricalDistribution(["32x32", "48x64"]))
    scales = Param(name="window_scale", distribution=FloatDistribution(0.9, 2.0))

    def told(*params: Param) -> list[str]:
        space = SearchSpace(name="drawn", params=params)
        return list(window_warnings(base_config(config), space, contest))

    assert told() == told(scales) == []
    (words,) = told(sizes)
    assert words.startswith("4 of 8 training images are smaller than windows of size=48x64")
    (words,) = told(sizes, scales)
    assert words.startswith("8 of 8 training images are smaller than windows of size=48x64, the sm")
    assert "with 40 x 56 (height x width), 36 x 50 at window_scale=0.9: windows" in words
    large = Param(name="size", distribution=CategoricalDistribution(["32x32", "112x144"]))
    shrunk = Param(name="window_scale", distribution=FloatDistribution(0.5, 0.9))
    assert told(large, scales)
    with pytest.raises(InputError, match=r"size=112x144 are more than 2 times as high and wide"):
        told(large, shrunk)
