"""What one trace says: words, figures of heads, links, embeddings, and tables of them."""
