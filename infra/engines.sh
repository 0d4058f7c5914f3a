#!/usr/bin/env bash
# Runs the tests that need somebody else's simulation of AWS. Skips each one that is not installed and cannot be.
set -euo pipefail
cd "$(dirname "$0")/.."
version=v1.8.0
folder=${XDG_CACHE_HOME:-$HOME/.cache}/idleseat/versitygw-$version
if [ -x "$folder/versitygw" ] || GOBIN=$folder go install "github.com/versity/versitygw/cmd/versitygw@$version"; then
	export IDLESEAT_TEST_VERSITYGW=$folder/versitygw
else
	echo "SKIPPED: versitygw $version cannot be installed, so no S3 server of another maker was asked"
fi
if python3 -c 'import moto.stepfunctions.parser.backend.execution, flask' 2>/dev/null; then
	export IDLESEAT_TEST_MOTO=python3
else
	echo "SKIPPED: python3 has no moto (pip install 'moto[server,stepfunctions]'), so only the project's own engine ran the state machine"
fi
version=3.0.0
folder=${XDG_CACHE_HOME:-$HOME/.cache}/idleseat/local-states-$version
if command -v node >/dev/null && { [ -d "$folder/node_modules/aws-local-stepfunctions" ] || npm install --prefix "$folder" --no-save --silent "aws-local-stepfunctions@$version"; }; then
	export IDLESEAT_TEST_LOCAL_STATES=$folder/node_modules
else
	echo "SKIPPED: aws-local-stepfunctions $version cannot be installed, so one interpreter fewer ran the state machine"
fi
if command -v sam >/dev/null; then
	export IDLESEAT_TEST_SAM=sam
else
	echo "SKIPPED: sam is not installed, so SAM's builder built nothing"
fi
go test -count=1 ./shared/store
go test -count=1 -v -timeout 15m -run '^Test(Versitygw|Moto|LocalStates|SAM)' ./infra/endtoend
