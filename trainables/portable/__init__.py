"""What exported models take along: nothing of ours beside it; reading policies needs albumentations."""
