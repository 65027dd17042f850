"""What AWS says about callers: who signed a call, and which groups they are in."""
