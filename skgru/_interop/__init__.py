"""Networks of other libraries: weights from and to them."""
