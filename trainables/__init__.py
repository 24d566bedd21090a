"""What one trial does: from a contest's folder to a trained network and its predictions."""
