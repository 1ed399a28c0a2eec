"""The container run-time: a program as a process of its own, the tree under /opt/ml, and the data in S3."""
