"""What the n x n core costs: measured, modelled, and planned for."""
