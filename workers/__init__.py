"""What runs: settings, the composition root, the steps and what carries them, the command line."""
