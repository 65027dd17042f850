"""The kernel that every package, the workflows included, may import: pure, without I/O."""
