"""A worker process: it takes jobs from the queue and turns them into stored videos, one at a time."""
