"""One number followed from dot product to output, step by step."""
