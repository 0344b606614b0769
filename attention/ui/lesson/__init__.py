"""What only the lesson page needs."""
