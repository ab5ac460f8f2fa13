"""The command line and what it alone needs. Imports anything; imported by ``fastinit.__main__`` alone."""
