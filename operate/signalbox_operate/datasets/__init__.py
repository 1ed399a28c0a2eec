"""A container's own data: training and test files, checked and put where its training and its test find them."""
