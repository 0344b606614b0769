"""What a change to a forward pass does: effects, ablation, pruning, steering."""
