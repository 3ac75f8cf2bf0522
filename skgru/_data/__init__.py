"""From what users have to sequences: containers, numbers, tokens, targets, and batches of them."""
