"""What only the interventions page needs."""
