"""What only the explorer page needs."""
