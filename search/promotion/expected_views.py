"""What models with views say of some test images, as a blend has it: what exports have to say."""

from __future__ import annotations

from collections.abc import Sequence

from results.ensemble.recipes import Blend
from results.predictions import Predictions, predictions_file
from results.records.trials import Search
from search.options.user_code import network_builder
from search.promotion.ensemble_members import Member
from trainables.data.prepared_images import PreparedImages
from trainables.inference.predict import load_trained, predict_pictures
from trainables.tasks.tasks import training_task
from trainables.training.device import Device


def expected_views(
    search: Search,
    members: Sequence[Member],
    views: Sequence[str],
    images: PreparedImages,
    names: tuple[str, ...],
    model: str,
) -> Predictions:
    """The mean of a promotion's models and of their views, of what is stored as far as it is.

    Args:
        search: The promotion.
        members: Its trials that have all of their folds.
        views: In which they look at images besides.
        images: The contest's images, read from their files.
        names: Of the test images.
        model: A team's own network, as ``module:function``; empty for timm's.

    Raises:
        InputError: If weights or images are missing.
    """
    task, classes = training_task(search.opened.task), search.opened.classes
    pictures = [images.read(name, "test") for name in names]
    found: dict[tuple[str, str], list[Predictions]] = {}
    for member in members:
        for trial in sorted(member.trials(), key=lambda t: t.config.run.fold):
            config, folder = trial.config, search.trial_folder(trial)
            device = Device.pick(config)
            build = network_builder(search, trial, model)
            network = device.placed(load_trained(config, folder, len(classes), build))
            for view in ("", *views):
                stored = folder / predictions_file("test", view)
                if stored.exists():
                    said = Predictions.read(stored).of(names)
                else:
                    heads = predict_pictures(network, config, pictures, device, task, view)
                    said = Predictions(images=names, classes=classes, heads=heads)
                found.setdefault((member.arm, view), []).append(said)
    order = [(m.arm, "") for m in members] + [(m.arm, view) for m in members for view in views]
    blend = Blend(recipe="mean", merge="mean", weights=(1 / len(order),) * len(order))
    return search.task.merged(blend.apply, [search.task.average(found[key]) for key in order])
