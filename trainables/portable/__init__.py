"""What exports take along: nothing of ours beside it; reading policies needs albumentations."""
