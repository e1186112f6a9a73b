"""The web app in which people mark the written answers."""
