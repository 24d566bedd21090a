"""What models in views say of some test images, as a blend has it: what exports have to say."""

from __future__ import annotations

from results.predictions import Predictions, predictions_file
from search.competition.images import prepared_images
from search.options.user_code import network_builder
from search.promotion.ensemble import Ensemble
from trainables.inference.predict import load_trained, predict_pictures
from trainables.portable.preparation import Picture, Preparation
from trainables.tasks.tasks import training_task
from trainables.training.device import Device


def expected_views(
    ensemble: Ensemble, names: tuple[str, ...], model: str, prepare: str
) -> Predictions:
    """What an ensemble says of some test images, of what is stored as far as it is.

    Args:
        ensemble: Models with their views, merged as a blend is.
        names: Of the test images.
        model: A team's own network, as ``module:function``; empty for timm's.
        prepare: A team's own function of decoded images; empty for none.

    Raises:
        InputError: If weights or images are missing.
    """
    opened = ensemble.search.opened
    task, classes = training_task(opened.task), opened.classes
    pictures: dict[tuple[Preparation, str], list[Picture]] = {}
    found: dict[tuple[str, str], list[Predictions]] = {voice: [] for voice in ensemble.voices}
    for arm, search, trial in ensemble.trainings():
        config, folder = trial.config, search.trial_folder(trial)
        images = prepared_images(search, trial, prepare)
        seen = images.preparation, config.data.boxes
        if seen not in pictures:
            pictures[seen] = [images.read(name, "test") for name in names]
        device = Device.pick(config)
        build = network_builder(search, trial, model)
        network = device.placed(load_trained(config, folder, len(classes), build))
        for (other, view), told in found.items():
            stored = folder / predictions_file("test", view)
            if other != arm:
                continue
            if stored.exists():
                told.append(Predictions.read(stored).of(names))
                continue
            heads = predict_pictures(network, config, pictures[seen], device, task, view)
            told.append(Predictions(images=names, classes=classes, heads=heads))
    results, blend = ensemble.search.task, ensemble.blend
    assert blend is not None
    return results.merged(blend.apply, [results.average(told) for told in found.values()])
