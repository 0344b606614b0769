"""What only the visualizer page needs."""
