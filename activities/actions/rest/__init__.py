"""What rest-api consists of: configuration, bodies, authentication, answers."""
