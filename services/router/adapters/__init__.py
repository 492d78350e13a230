"""Touch the world: one file per neighbour."""
