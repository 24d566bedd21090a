"""The ready space of masks: what it draws are networks, and classes of images have none of it."""

from __future__ import annotations

import optuna
import pytest
import torch

from search.jobs.searched_choices import check_model, check_values
from spaces.errors import InputError
from spaces.ready import ready_space
from spaces.ready.segmentation import DECODERS
from spaces.trial_config import TrialConfig
from trainables.portable.smp_network import encoder_decoder

BASELINE = TrialConfig.of(model="smp", backbone="test_resnet", size=(64, 64))


@pytest.mark.parametrize("decoder", DECODERS)
def test_every_decoder_is_built_in_the_widths_that_are_drawn(decoder: str) -> None:
    for width in (0.5, 0.62, 1.13, 1.5):
        config = BASELINE.with_params({"decoder": decoder, "decoder_width": width})
        model = encoder_decoder(config.to_json(), 3).eval()
        with torch.inference_mode():
            assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 3, 64, 64)


def test_what_is_drawn_is_valid_and_has_few_dimensions() -> None:
    space = ready_space("segmentation")
    check_model(space, BASELINE)
    check_values(space, BASELINE, {})
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(30):
        drawn = space.suggest(study.ask())
        assert 5 <= len(drawn) <= 7
        config = BASELINE.with_params(drawn)
        assert config.loss.kind == drawn["loss"]


def test_networks_for_classes_of_images_are_refused() -> None:
    with pytest.raises(InputError, match="searches decoder, which networks of model=timm do not"):
        check_model(ready_space("segmentation"), TrialConfig())
    for name in ("aug_policy", "backbone", "loss", "optimizer"):
        check_model(ready_space(name), TrialConfig())
