"""All side effects of workflows."""
