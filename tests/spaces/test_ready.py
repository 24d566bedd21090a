"""Ready spaces with arguments, and the table that shows a space."""

from __future__ import annotations

import pytest

from results.reporting.space_report import space_page
from spaces.errors import InputError
from spaces.ready import READY, ready_space
from spaces.ready.aug_policy import aug_policy
from spaces.ready.backbone import backbone


def test_arguments_behind_a_name_are_those_of_the_function() -> None:
    assert ready_space("aug_policy(stages=3)") == aug_policy(stages=3)
    assert ready_space("aug_policy()") == aug_policy()
    names = ready_space("backbone(names=['test_resnet', 'test_vit'])")
    assert names == backbone(names=["test_resnet", "test_vit"])  # type: ignore[arg-type]


def test_further_kinds_bring_their_parameters_along() -> None:
    space = ready_space("schedule(kinds=['cosine', 'step'])")
    assert {p.name for p in space.params} - {p.name for p in ready_space("schedule").params} == {
        "schedule",
        "step_epochs",
        "step_factor",
    }
    space = ready_space("optimizer(names=['lion', 'adam'])")
    assert "sgd.lr" not in space
    assert space["lion.lr"].when[0].values == ("lion",)
    names = ready_space("backbone(families=['vit', 'swin'])")["backbone"].categories
    assert names[0].startswith("vit_")
    assert names[-1].startswith("swin_")
    space = ready_space("mixing(kinds=['none', 'snapmix'])")
    assert {w.values for p in space.params for w in p.when} == {("snapmix",)}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("aug_policie(stages=3)", "did you mean aug_policy"),
        ("aug_policy(stage=3)", "did you mean stages"),
        ("aug_policy(3)", r"written as aug_policy\(name=value\)"),
        ("aug_policy(stages=3", "written as"),
        ("aug_policy(stages=print(1))", "written as"),
        ("optimizer(names=['adamww'])", "did you mean adamw"),
        ("schedule(kinds=['steps'])", "did you mean step"),
        ("backbone(families=['resnets'])", "did you mean resnet"),
        ("aug_policy(stages=99)", "from 1 to 9"),
        ("mixing(kinds=['cutmx'])", "did you mean cutmix"),
        ("mixing(kinds=['none'])", "none of them mixes; choices: mixup"),
        ("mixing(unmixed=-1)", "unmixed=-1: 0 or more"),
        ("schedule(longest_warmup='x')", "longest_warmup='x': a whole number is needed"),
        ("backbone(names='resnet18')", r"a list of texts, such as names=\['resnet18'\] is needed"),
        ("subset(operations='rotate')", "a list of texts"),
        ("imbalance(groups=1)", "groups=1: True or False is needed"),
        ("segmentation(decoders=['unett'])", "did you mean unet"),
        ("averaging(longest=0)", "longest=0: 2 or more"),
        ("rand_augment(most=9)", "most=9: from 1 to 4"),
        ("fast_autoaugment(sub_policies=9)", "sub_policies=9: from 1 to 5"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ready_space(name)


def test_the_table_names_range_and_condition_of_every_parameter() -> None:
    space = aug_policy().narrow({"mix": ["none", "mixup"]})
    page = space_page(space)
    assert [line.split()[0] for line in page[1 : 1 + len(space.params)]] == [
        p.name for p in space.params
    ]
    shown = "\n".join(page)
    assert "mix is mixup" in shown
    assert "one of 25" in shown
    assert f"{len(space.params)} parameters, 4 of them in every trial" in shown
    assert any(space.digest in line for line in page[-4:])


@pytest.mark.parametrize("name", READY)
def test_ready_spaces_say_what_they_leave_out(name: str) -> None:
    space = ready_space(name)
    told = " ".join(" ".join(space_page(space)).split())
    assert space.missing() == list(space.left_out) != []
    assert f"left out: {space.missing()[0].split('-')[0]}" in told


@pytest.mark.parametrize("name", READY)
def test_what_a_joined_space_searches_is_not_told_as_left_out(name: str) -> None:
    """Where a note names the space that searches it, it is gone where that is joined."""
    space, met = ready_space(name), 0
    for other in (other for other in READY if other != name):
        try:
            joined = space.join(ready_space(other))
        except InputError:  # they search something differently
            continue
        here = [words for words in space.left_out if f"({other})" in words]
        assert not set(here) & set(joined.missing())
        assert set(joined.missing()) <= {*space.left_out, *ready_space(other).left_out}
        met += 1
    assert met


def test_downloaded_weights_are_a_choice_where_asked_for() -> None:
    """What is frozen, and which layers begin anew, is asked about with such weights only."""
    plain, asked = ready_space("full"), ready_space("full(pretrained=True)")
    assert not {"pretrained", "frozen_epochs", "fresh_layers"} & {p.name for p in plain.params}
    for name in ("frozen_epochs", "fresh_layers"):
        assert [(w.parameter, w.values) for w in asked[name].when] == [("pretrained", (True,))]
    assert ready_space("backbone(pretrained=True)")["pretrained"].categories == (False, True)
