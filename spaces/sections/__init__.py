"""The parts of a trial's configuration: one file per section, a frozen dataclass per kind."""
