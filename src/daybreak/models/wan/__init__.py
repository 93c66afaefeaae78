"""Wan 2.1 and 2.2 (Wan Team, 2025): transformer and VAE of our own that take the published weights as they are."""
