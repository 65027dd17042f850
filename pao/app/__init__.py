"""What puts the other packages together: the processes, the command line, the local stack."""
