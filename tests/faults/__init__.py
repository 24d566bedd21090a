"""Injects faults into real jobs and counts what was lost."""
