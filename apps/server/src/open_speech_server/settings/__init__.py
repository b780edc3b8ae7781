"""What the operator decides, and what it means to core."""
