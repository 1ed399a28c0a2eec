"""Jobs that really run: the program of a training, processing or transform job in a process of its own.

Each job gets the files and the environment that a SageMaker container gets, under a folder of its own.
"""
