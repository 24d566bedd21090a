"""What is wrong with a contest's images, tables and split, before a GPU is used."""
