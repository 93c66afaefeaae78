"""Daybreak: a self-hosted, Sora-compatible video generation system."""

__version__ = "0.1.0"
