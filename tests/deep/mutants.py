"""."""
SECTIONS: dict = {}
