"""The HTTP server: OpenAI's Videos API and what Daybreak adds to it."""
