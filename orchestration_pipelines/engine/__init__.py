"""What the product does: one method, one transaction."""
