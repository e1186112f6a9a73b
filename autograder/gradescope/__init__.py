"""Inside the container that Gradescope or `otter grade` builds from the zip."""
