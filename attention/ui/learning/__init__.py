"""What only the learning page needs."""
