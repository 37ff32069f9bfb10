"""Between the socket and the endpoints: how bytes become requests, and which router a request is for."""
