"""Every way in: each door decodes and validates once, and nothing is dropped on the floor."""
