"""The open video models: which there are, what they need, and how they come onto this machine. No torch here."""
