"""What only the pipeline page needs."""
