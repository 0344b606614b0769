"""How far a model reads, beside networks that recur or convolve."""
