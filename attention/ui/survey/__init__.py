"""What only the survey page needs."""
