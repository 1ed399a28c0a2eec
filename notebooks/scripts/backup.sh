#!/bin/bash
# Starts the worker that saves this instance's files, or brings them back, and returns at once.
# Nothing in here keeps the instance from starting: what goes wrong is said in the log, and in the tag
# snapshot-status. This is a text of notebooks/template.yaml, in which CloudFormation takes dollar signs
# with curly brackets for its own: bash's names have none.
export operation=backup
export bucket='${Bucket}'
export owner='${Owner}'
export digest='${WorkerDigest}'
export AWS_REGION='${AWS::Region}' AWS_DEFAULT_REGION='${AWS::Region}'
export metadata=/opt/ml/metadata/resource-metadata.json
export home=/home/ec2-user/SageMaker
export PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/home/ec2-user/anaconda3/bin"
folder=$(mktemp -d)
export folder

fail() {
  echo "$1"
  arn=$(sed -n 's/.*"ResourceArn" *: *"\([^"]*\)".*/\1/p' "$metadata")
  aws sagemaker add-tags --resource-arn "$arn" --tags "Key=snapshot-status,Value=failed: $1"
  exit 1
}

suits() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null
}

work() {
  for python in /usr/bin/python3 /home/ec2-user/anaconda3/bin/python3 python3; do
    suits "$python" && break
  done
  suits "$python" || fail 'the instance has no Python 3.6 or later'
  file="$folder/worker.pyz"
  aws s3api get-object --bucket "$bucket" --key "worker/$digest.pyz" \
    --expected-bucket-owner "$owner" "$file" ||
    fail "no worker in bucket $bucket of account $owner: the role has to read worker/ there"
  echo "$digest  $file" | sha256sum --check --quiet ||
    fail "the worker in bucket $bucket is not the one that was deployed: run signalbox notebooks deploy"
  "$python" "$file" "$operation" --metadata "$metadata" --home "$home"
  ended=$?
  case "$ended" in
    0 | 1 | 3) ;; # it is complete, it failed and said so, or another worker is at it
    *) fail "the worker ended with $ended and said nothing: start the instance again" ;;
  esac
}

export -f fail suits work
setsid bash -c work </dev/null >"$folder/log" 2>&1 &
exit 0
