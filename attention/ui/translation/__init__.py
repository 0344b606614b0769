"""What only the translation page needs."""
