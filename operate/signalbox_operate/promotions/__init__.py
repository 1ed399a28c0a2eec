"""A pipeline's definition that has run in one stack is created in another one, byte for byte but for named places."""
