"""Pages of supervision: orders and the boards of the bodies for those concerned; use, scores and reports for everybody."""
