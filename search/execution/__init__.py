"""Ray runs the plan and survives faults; entry: engine."""
