"""Pictures and the page of figures, for people who look rather than read."""
