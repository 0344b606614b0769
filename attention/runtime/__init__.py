"""The machine underneath: threads, clocks, memory, and whose turn it is."""
