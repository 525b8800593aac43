"""A synthetic team and synthetic arrivals, driven through the real engine in compressed time."""
