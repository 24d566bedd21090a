"""A team's own albumentations pipelines: written, refused, trained with and exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import albumentations as A  # noqa: N812
import cv2
import numpy as np
import pytest
from albumentations.pytorch import ToTensorV2
from numpy.typing import NDArray

from results.masks.counts import VOID
from spaces.augmentation.families import policy_of
from spaces.augmentation.pipeline import Pipeline
from spaces.augmentation.policy import AugPolicy, Choice, Stage
from spaces.errors import InputError
from spaces.trial_config import TrialConfig
from trainables.augment import Augmenter
from trainables.augment.pipelines import read_pipeline, try_pipeline, written

SIDE, SIZE = 44, (32, 32)
Picture = NDArray[np.uint8]


class Rain(A.ImageOnlyTransform):  # type: ignore[misc]
    """A transform of the team's own."""

    def apply(self, img: Picture, **_: Any) -> Picture:
        return img


class Restless(A.HorizontalFlip):  # type: ignore[misc]
    """Draws from numpy's global generator, under the name of a stock operation."""

    def should_apply(self, force_apply: bool = False) -> bool:
        return bool(np.random.default_rng().random() < 0.5)


def heavy() -> A.Compose:
    return A.Compose(
        [
            A.RandomResizedCrop(size=SIZE, scale=(0.5, 1.0)),
            A.HorizontalFlip(p=0.5),
            A.OneOf([A.GaussianBlur(), A.MotionBlur(), A.Sequential([A.CLAHE(), A.RandomGamma()])]),
            A.SomeOf(
                [A.Affine(rotate=(-20, 20), scale=(0.8, 1.2)), A.Solarize(), A.Posterize()], n=2
            ),
            A.RandomBrightnessContrast(p=0.4),
            A.CoarseDropout(p=0.5),
        ],
        p=0.9,
    )


def policy(pipeline: Pipeline) -> AugPolicy:
    return AugPolicy(stages=(Stage(choices=(pipeline,)),))


@pytest.fixture(scope="module")
def picture() -> Picture:
    small = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (SIDE, SIDE)), dtype=np.uint8)


def views(augmenter: Any, picture: Picture) -> Picture:
    return np.stack([augmenter(picture, e, i)["image"] for e in (1, 2) for i in range(12)])


def test_draws_belong_to_seed_epoch_and_image(picture: Picture) -> None:
    pipeline = written("heavy", heavy, "pipelines=[x:heavy]")
    base = views(Augmenter(policy(pipeline), SIZE, 0, SIDE), picture)
    again = Augmenter(policy(pipeline), SIZE, 0, SIDE)
    backwards = [again(picture, e, i)["image"] for e in (2, 1) for i in reversed(range(12))]
    np.testing.assert_array_equal(base, backwards[::-1])
    assert len({view.tobytes() for view in base}) > 15
    assert (views(Augmenter(policy(pipeline), SIZE, 1, SIDE), picture) != base).any()


def test_it_does_what_albumentations_does_with_it(picture: Picture) -> None:
    """The first of the generators' draws is the outer pipeline's, ours."""
    pipeline = written("heavy", heavy, "pipelines=[x:heavy]")
    small = Augmenter(AugPolicy(), SIZE, 0, SIDE)(picture, 1, 0)["image"]
    ours = Augmenter(policy(pipeline), SIZE, 0, SIDE)
    theirs = Augmenter(AugPolicy(), SIZE, 0, SIDE)
    made = heavy()
    for index in range(12):
        theirs(picture, 1, index)  # sets the generators to the image, and draws once
        made.set_random_state(theirs._generator, theirs._random)
        theirs._random.random()  # of the stage, which is always applied
        np.testing.assert_array_equal(
            ours(picture, 1, index)["image"], made(image=small.copy())["image"]
        )


def test_a_policy_with_it_is_data(tmp_path: Path) -> None:
    pipeline = written("heavy", heavy, "pipelines=[x:heavy]")
    config = TrialConfig.of(size=SIZE, policy=policy(pipeline))
    again = TrialConfig.from_json(json.loads(json.dumps(config.to_json())))
    assert again == config
    assert again.digest == config.digest
    other = written("heavy", lambda: A.Compose([A.HorizontalFlip(p=0.4)]), "x")
    assert config.replace(policy=policy(other)).digest != config.digest
    assert other.describe() == "the pipeline heavy (HorizontalFlip)"
    assert "OneOf(GaussianBlur, MotionBlur, Sequential(CLAHE, RandomGamma))" in pipeline.describe()
    assert again.policy.operations() == {"heavy"}
    for suffix, kind in ((".json", "json"), (".yaml", "yaml")):
        A.save(heavy(), tmp_path / f"heavy{suffix}", data_format=kind)
        assert read_pipeline("heavy", tmp_path / f"heavy{suffix}", "x") == pipeline


def own_pipelines() -> dict[str, AugPolicy]:
    """One alone, one among others, and one of operations that write what they do not take:
    albumentations writes arguments of their parents, and warns when it reads them."""
    pipeline = written("heavy", heavy, "x")
    flip = Choice(operation="vertical_flip")
    mixed = AugPolicy(stages=(Stage(choices=(pipeline, flip), weights=(2.0, 1.0)),))
    odd = (A.RGBShift(p=0.7), A.SafeRotate(p=0.7), A.PadIfNeeded(8, 8), A.ShiftScaleRotate(p=0.7))
    written_oddly = written("odd", lambda: A.Compose(list(odd)), "x")
    return {"alone": policy(pipeline), "mixed": mixed, "odd": policy(written_oddly)}


@pytest.mark.filterwarnings("ignore:.*special case of Affine")
def test_operations_that_write_what_they_do_not_take_are_taken() -> None:
    (odd,) = own_pipelines()["odd"].pipelines()
    try_pipeline(odd, SIZE, masks=True)


def test_masks_follow_and_have_nothing_where_a_border_is_uncovered() -> None:
    """Whatever the pipeline would fill them with; an image that shows its own mask still does."""
    mask = np.full((SIDE, SIDE), 1, np.uint8)
    mask[8:36, 10:30] = 2
    image = np.repeat(100 * mask[..., None], 3, axis=2)

    def shaken() -> A.Compose:
        return A.Compose([A.Affine(rotate=(-40, 40), p=1), A.HorizontalFlip(), A.CLAHE(p=0)])

    pipeline = written("shaken", shaken, "x")
    try_pipeline(pipeline, SIZE, masks=True)
    augmenter = Augmenter(policy(pipeline), SIZE, 0, SIDE)
    seen = [augmenter(image, 1, i, mask) for i in range(8)]
    for view in seen:
        shown, moved = view["image"][..., 0].astype(int), view["mask"]
        assert set(np.unique(moved)) <= {1, 2, VOID}
        known = moved != VOID
        assert (np.abs(shown - 100 * moved.astype(int))[known] > 66).mean() <= 0.01
        assert ((shown < 50) != ~known).mean() <= 0.02
    assert any((view["mask"] == VOID).any() for view in seen)


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (lambda: 3, "x returned int, not an A.Compose or a transform of albumentations"),
        (lambda: [A.HorizontalFlip()], "x returned list, not an A.Compose"),
        (lambda: 1 / 0, r"x: called with \(\) it fails: ZeroDivisionError"),
        (lambda size: 3, r"x: called with \(\) it fails: TypeError"),
        (lambda: A.Compose([A.Normalize()]), "x: leave Normalize out; networks normalise"),
        (lambda: A.Compose([A.OneOf([ToTensorV2()])]), "x: leave ToTensorV2 out"),
        (lambda: A.ToFloat(), "leave ToFloat out"),
        (lambda: A.Compose([Rain()]), r"test_pipelines\.Rain is a transform of your own"),
        (lambda: A.Compose([A.Lambda(image=lambda x, **_: x)]), "cannot write it: ValueError"),
    ],
)
def test_what_is_no_pipeline_of_stock_operations_is_refused(own: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        written("mine", own, "x")


@pytest.mark.parametrize(
    ("made", "size", "words"),
    [
        (A.RandomCrop(16, 16), SIZE, r"makes uint8 of shape \(16, 16, 3\); size and type have to"),
        (
            A.Transpose(p=0.001),
            (32, 40),
            r"of images uint8 of shape \(32, 40, 3\) it makes uint8 of",
        ),
        (A.ToGray(num_output_channels=1, p=1), SIZE, r"it makes uint8 of shape \(32, 32\)"),
        (A.RandomCrop(64, 64), SIZE, "pipeline 'mine' fails: .*[Cc]rop"),
        (A.MaskDropout(p=1), SIZE, "pipeline 'mine' fails"),
    ],
)
def test_what_does_not_keep_pictures_as_they_are_is_refused(
    made: Any, size: tuple[int, int], words: str
) -> None:
    pipeline = written("mine", lambda: A.Compose([made]), "x")
    with pytest.raises(InputError, match=words):
        try_pipeline(pipeline, size, masks=False)


def test_a_record_s_pipeline_of_another_library_is_refused_in_words() -> None:
    transform = {"__class_fullname__": "Compose", "p": 1.0, "transforms": []}
    transform["transforms"] = [{"__class_fullname__": "their.Rain", "p": 1.0}]
    with pytest.raises(InputError, match=r"pipeline 'theirs': their\.Rain is a transform of your"):
        try_pipeline(Pipeline.of("theirs", transform), SIZE, masks=False)


def test_draws_of_its_own_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = written("mine", lambda: A.Compose([A.HorizontalFlip(p=0.5)]), "x")
    try_pipeline(pipeline, SIZE, masks=False)
    monkeypatch.setattr(A.HorizontalFlip, "should_apply", Restless.should_apply)
    with pytest.raises(InputError, match="other pixels for the same image, epoch and seed"):
        try_pipeline(pipeline, SIZE, masks=False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is damaged: JSONDecodeError"),
        ("[]", "is not what A.save writes of a pipeline"),
        ('{"transform": {"p": 1}}', "is not what A.save writes"),
        ('{"transform": {"__class_fullname__": "Compose"}}', "is not what A.save writes"),
        ('{"transform": {"__class_fullname__": 3, "p": 1}}', "is not what A.save writes"),
        (
            '{"transform": {"__class_fullname__": "Compose", "p": 1, "transforms": ["Blur"]}}',
            "is not what A.save writes",
        ),
        (
            '{"transform": {"__class_fullname__": "OneOf", "p": 1, "transforms": 7}}',
            "is not what A.save writes",
        ),
        (
            '{"transform": {"__class_fullname__": "Compose", "p": 1, "transforms": '
            '[{"__class_fullname__": "HorizontalFlipp", "p": 1}]}}',
            "unknown operation of albumentations 'HorizontalFlipp' .*did you mean HorizontalFlip",
        ),
        ('{"transform": {"__class_fullname__": "os.system", "p": 1}}', "os.system is a transform"),
        (
            '{"transform": {"__class_fullname__": "GaussianBlur", "blur_limits": 3, "p": 1}}',
            r"unknown argument 'blur_limits' \(in .*, GaussianBlur\): did you mean blur_limit",
        ),
        (
            '{"transform": {"__class_fullname__": "Solarize", "threshold_range": 7, "p": 1}}',
            "cannot build it: ",
        ),
    ],
)
def test_a_file_is_read_without_importing_anything(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_pipeline("mine", path, "pipelines=[mine.json]")
    (tmp_path / "mine.yaml").write_text("transform: !!python/object/apply:os.system ['true']")
    with pytest.raises(InputError, match=r"mine\.yaml is damaged: ConstructorError"):
        read_pipeline("mine", tmp_path / "mine.yaml", "pipelines=[mine.yaml]")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_pipeline("mine", tmp_path / "other.yaml", "pipelines=[other.yaml]")


def test_a_reference_is_no_policy_by_itself() -> None:
    with pytest.raises(InputError, match=r"say pipelines=\[my_augs:heavy\], and policy=heavy"):
        policy_of({"policy": "my_augs:heavy"})
    with pytest.raises(InputError, match=r"say pipelines=\[conf/heavy.yaml\], and policy=heavy"):
        policy_of({"policy": "conf/heavy.yaml"})
