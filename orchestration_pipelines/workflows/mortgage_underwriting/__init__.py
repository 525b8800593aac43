"""Mortgage underwriting: real applications of 1990 through rules, people and a lender (see README.md)."""
