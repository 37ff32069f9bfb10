"""What is late and must not be overlooked: raised once for each deadline, shown on the desks until it is settled."""
