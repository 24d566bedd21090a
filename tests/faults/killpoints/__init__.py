"""Put this folder on PYTHONPATH to have processes killed at their writes."""
