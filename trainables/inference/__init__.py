"""Trained models outside training: prediction, views, embeddings, parity, export."""
