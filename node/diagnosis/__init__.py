"""What a node needs, looked at from outside: the machine below it and the endpoints around it."""
