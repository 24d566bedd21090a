"""What only a machine with a GPU can show: make test-gpu. Skipped where there is none."""
