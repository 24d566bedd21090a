"""What only a machine with a GPU can show: make test-gpu. Skipped where there is none.

With any other expression of marks than ``-m gpu`` nothing sees a GPU, and all of them are skipped.
"""
