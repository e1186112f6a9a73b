"""The review of written answers: a web app on this machine."""
