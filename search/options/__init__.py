"""From the command line to checked dataclasses; entry: command_line."""
