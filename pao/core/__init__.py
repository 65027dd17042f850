"""The kernel that every room, the workflows included, may import: pure, without input or output."""
