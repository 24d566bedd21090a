"""The service: commands, configuration, and the engine that runs trials on Ray Tune."""
