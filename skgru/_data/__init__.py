"""From users' data to sequences: containers, numbers, tokens, targets, and batches of them."""
