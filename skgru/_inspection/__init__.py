"""Explanations in pictures and in text, and the importance of parts of X."""
