"""AWS, each conversation once: what every journey's adapters share.

`clients` makes them, `errors` turns AWS's refusals into ours, `model` and `objects` have the facts that are read, of
SageMaker and of S3, and each other module speaks to one service: `s3`, `table` (DynamoDB), `registry` and `endpoints`
(SageMaker), `machines` (Step Functions). Importing this package, `model` or `objects` loads nothing of AWS's library.
"""
