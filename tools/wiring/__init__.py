"""What is wired to which pin of a board: read from its folder, checked, told as a table and as a picture."""
