"""What providers call back with: whether it is truly theirs, and what it says."""
