"""What is used of Ray that it does not promise to keep; see tests/test_internals.py."""
