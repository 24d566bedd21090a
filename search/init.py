"""python -m search.init <folder> — looks at a contest's folder and writes its YAML.

Guesses tables, columns, folders of images, group, size and metric, says why, and tries them out.
Edit what is wrong: the file is yours.

  python -m search.init /data/birds
  python -m search.init /data/birds to=conf/data/birds2.yaml
"""

from __future__ import annotations

from search.options.analysis import InitConfig
from search.options.command_line import main


def run(config: InitConfig) -> int:
    """Prints the guesses, writes the file; returns the exit code."""
    from search.jobs.contest_yaml import write_contest_yaml

    return write_contest_yaml(config)


if __name__ == "__main__":
    main(InitConfig, run, __doc__ or "", positional="folder")
