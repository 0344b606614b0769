"""What only the scaling page needs."""
