"""python -m search.preview — a picture of what a policy does to a contest's images.

Shows images as they are, then as policies of a space change them, or one policy from the first
epoch to the last. Each image gets what it would get in a training with this seed.

  python -m search.preview fix.policy=trivial_augment
  python -m search.preview space=aug_policy data=csv data.root=/data/birds fix.size=128
  python -m search.preview pipelines=[my_augs:heavy] fix.policy=heavy
"""

from __future__ import annotations

from search.options.audit import PreviewConfig
from search.options.command_line import main
from spaces.errors import InputError
from spaces.ready import check_space_name


def run(config: PreviewConfig) -> int:
    """Draws, writes and says where; returns the exit code."""
    spaces = config.space if isinstance(config.space, list) else [config.space]
    for name in filter(None, spaces):
        check_space_name(str(name))
    if not config.space and not config.fix:
        raise InputError(
            "nothing to show: space=aug_policy draws policies, fix.policy=trivial_augment names one"
        )
    from search.competition.previews import preview

    return preview(config)


if __name__ == "__main__":
    main(PreviewConfig, run, __doc__ or "")
