# Starts the worker that saves the files of this instance or space, or brings them back, and returns at once.
# Nothing in here keeps the instance from starting: what goes wrong is said in the log, and in the tag
# snapshot-status. Before this stand the values of the stack. It is a text of notebooks/template.yaml.
export metadata=/opt/ml/metadata/resource-metadata.json
export PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/opt/conda/bin:/home/ec2-user/anaconda3/bin"
folder=$(mktemp -d)
export folder

told() {
  sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" "$metadata"
}

fail() {
  echo "$1"
  arn=$(told ResourceArn)
  space=$(told SpaceName)
  [ -z "$space" ] || arn="$(echo "$arn" | sed 's/:app\/.*//'):space/$(told DomainId)/$space"
  aws sagemaker add-tags --resource-arn "$arn" --tags "Key=snapshot-status,Value=failed: $1"
  exit 1
}

suits() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null
}

# In a space of Studio this is not root, who alone gives files their owners: the worker runs by sudo, where
# there is one that keeps the environment.
run() {
  if [ "$(id -u)" != 0 ] && [ "$(sudo -n -E printenv digest 2>/dev/null)" = "$digest" ]; then
    sudo -n -E "$@"
  else
    "$@"
  fi
}

work() {
  for python in /usr/bin/python3 /home/ec2-user/anaconda3/bin/python3 python3; do
    suits "$python" && break
  done
  suits "$python" || fail 'there is no Python 3.6 or later'
  file="$folder/worker.pyz"
  aws s3api get-object --bucket "$bucket" --key "worker/$digest.pyz" \
    --expected-bucket-owner "$owner" "$file" ||
    fail "no worker in bucket $bucket of account $owner: the role has to read worker/ there"
  echo "$digest  $file" | sha256sum --check --quiet ||
    fail "the worker in bucket $bucket is not the one that was deployed: run signalbox notebooks deploy"
  python=$(command -v "$python")
  run "$python" "$file" "$operation" --metadata "$metadata" --home "$home"
  ended=$?
  case "$ended" in
    0 | 1 | 3) ;; # it is complete, it failed and said so, or another worker is at it
    *) fail "the worker ended with $ended and said nothing: start it again" ;;
  esac
}

export -f told fail suits run work
setsid bash -c work </dev/null >"$folder/log" 2>&1 &
exit 0
