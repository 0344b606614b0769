"""What only the multi-head comparison page needs."""
