"""What an engine does with landed files: read them as typed rows, count them, publish them."""
