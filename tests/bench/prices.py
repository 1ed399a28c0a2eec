"""What AWS takes, in US dollars in us-east-1; docs/scale.md says where each was read."""

TRAIL = 0.10 / 100_000  # a data event
MESSAGE, FIFO_MESSAGE = 0.40 / 1_000_000, 0.50 / 1_000_000  # a call of SQS
HEAD, PUT = 0.0004 / 1_000, 0.005 / 1_000  # of S3
WRITE, READ = 0.625 / 1_000_000, 0.125 / 1_000_000  # a unit of a table on demand
CALL, GB_SECOND, LOG_GB = 0.20 / 1_000_000, 0.0000133334, 0.50
GB = 0.5  # memory of the functions
LINE = 700  # bytes of the line that each upload has in the log
RUN = 3 * 4 / 60 * 0.115  # three jobs of four minutes on an ml.m5.large, as the abalone pipeline has them
