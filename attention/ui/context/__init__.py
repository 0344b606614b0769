"""What only the context page needs."""
