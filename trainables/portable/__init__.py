"""What exported models take along: this folder needs torch, timm, OpenCV and nothing of ours."""
