"""FEEL, the expression language of DMN, without eval."""
