"""What a person may ask for: to be forgotten, to be kept no longer than agreed, their own data."""
