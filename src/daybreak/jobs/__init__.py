"""Jobs: what one is, the queue that hands them to workers, and what follows when one ends."""
