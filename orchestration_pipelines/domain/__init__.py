"""Rules as values: no input, no output, no clock of their own."""
