"""What the tests of whole processes share: starting, asking and ending them, and a place for each."""
