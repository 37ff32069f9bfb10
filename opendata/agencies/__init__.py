"""Public bodies: their tree, their kinds, who may do what for them."""
