"""The live page: a server, its API, and one page without anything from the internet."""
