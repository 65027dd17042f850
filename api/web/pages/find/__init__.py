"""One box for everything that has an address: pages, services, requests."""
