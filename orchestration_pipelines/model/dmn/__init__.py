"""DMN 1.3 to 1.5: decision tables and requirement graphs."""
