"""python -m search.space — what a space searches, before anything is trained.

Lists parameters, ranges and conditions after arguments, pins, narrowed ranges and dropped choices.

  python -m search.space space=aug_policy
  python -m search.space 'space=aug_policy(stages=3)' fix.mix=none
  python -m search.space 'space=[aug_policy,schedule]' 'narrow.lr=[1e-4,1e-3]' drop=[cutmix]
"""

from __future__ import annotations

from search.options.analysis import SpaceConfig
from search.options.command_line import main
from spaces.ready import check_space_name


def run(config: SpaceConfig) -> int:
    """Prints the parameters; returns the exit code."""
    for name in config.space if isinstance(config.space, list) else [config.space]:
        check_space_name(str(name))
    from results.reporting.space_report import space_page
    from search.jobs.searched_choices import check_pins
    from search.options.exit_codes import OK
    from search.options.parameters import flatten
    from search.options.search_space import resolve_space

    fix, narrow = flatten(config.fix), flatten(config.narrow)
    space = resolve_space(config.space, fix, narrow, config.drop)
    check_pins(space, fix)
    print("\n".join(space_page(space)))
    return OK


if __name__ == "__main__":
    main(SpaceConfig, run, __doc__ or "")
