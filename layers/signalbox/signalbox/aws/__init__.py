"""AWS, each conversation once: what every journey's adapters share.

`clients` makes them, `errors` turns AWS's refusals into ours, `model` has the facts that are read, and each other
module speaks to one service: `s3`, `table` (DynamoDB), `registry` and `endpoints` (SageMaker), `machines` (Step
Functions). Importing this package, or `model`, loads nothing of AWS's library.
"""
