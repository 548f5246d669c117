#!/bin/sh
# Deliver a commit: plan, apply, verify, settle; cloudbuild.yaml runs them one after the other, and so can a person.
#
#   infra/deliver.sh plan      a plan into infra/.delivery/, against the state in STATE_BUCKET
#   infra/deliver.sh apply     apply that plan, having noted which commit is deployed
#   infra/deliver.sh verify    publish one message to ENDPOINT's topic, and wait for its run's record
#   infra/deliver.sh settle    if that went well, say so; else go back to the commit that was deployed before, and fail
#
# STATE_BUCKET, PROJECT and COMMIT say where and what; TERRAFORM and TCDATALOGGER are other ways to call those two.
set -eu

cd "$(dirname "$0")/.."
here=$PWD
notes=$here/infra/.delivery
terraform=${TERRAFORM:-terraform}
tcdatalogger=${TCDATALOGGER:-.venv/bin/tcdatalogger}
endpoint=${ENDPOINT:-currency}

need() {
	for name in "$@"; do
		eval "value=\${$name:-}"
		test -n "$value" || { echo "deliver.sh: $name is not set" >&2; exit 2; }
	done
}

# The state's bucket, and the variables that stand beside this script: of this commit, or of the one before.
init() {
	"$terraform" -chdir="$1" init -input=false -reconfigure -backend-config="bucket=$STATE_BUCKET"
}

plan() {
	need STATE_BUCKET PROJECT COMMIT
	mkdir -p "$notes"
	rm -rf "${notes:?}"/*
	init infra
	"$terraform" -chdir=infra plan -input=false -var "project=$PROJECT" -var "commit=$COMMIT" -out="$notes/plan.tfplan"
}

apply() {
	need STATE_BUCKET
	test -f "$notes/plan.tfplan" || { echo "deliver.sh: no plan; run: infra/deliver.sh plan" >&2; exit 2; }
	# Before the first time nothing is deployed, of which Terraform's word is no commit; then there is no way back.
	"$terraform" -chdir=infra output -raw commit 2>/dev/null | grep -E '^[0-9a-f]{7,64}$' >"$notes/previous" || :
	if ! "$terraform" -chdir=infra apply -input=false "$notes/plan.tfplan"; then
		# What is applied in part needs settling as much as what does not work.
		echo "deliver.sh: the plan was not applied whole" >&2
		settle
	fi
	"$terraform" -chdir=infra output -json >"$notes/outputs.json"
}

output() {
	python3 -c 'import json, sys; value = json.load(open(sys.argv[1]))
for key in sys.argv[2:]: value = value[key]
print(value)' "$notes/outputs.json" "$@"
}

verify() {
	need PROJECT
	WAREHOUSE=$(output warehouse value)
	export WAREHOUSE
	"$tcdatalogger" trigger "$endpoint" --project "$PROJECT" --topic "$(output topics value "$endpoint")" --wait 600
	: >"$notes/verified"
}

settle() {
	need STATE_BUCKET PROJECT
	if test -f "$notes/verified"; then
		echo "Deployed and verified: ${COMMIT:-this commit}."
		return
	fi
	previous=$(cat "$notes/previous" 2>/dev/null || true)
	if test -z "$previous"; then
		echo "deliver.sh: the deployment does not work, and there is none before it to go back to" >&2
		exit 1
	fi
	echo "deliver.sh: the deployment does not work; going back to $previous" >&2
	git cat-file -e "$previous^{commit}" 2>/dev/null || git fetch --quiet --unshallow origin || git fetch --quiet origin "$previous"
	rm -rf "$notes/before"
	git worktree prune
	git worktree add --quiet --force --detach "$notes/before" "$previous"
	if test -f infra/terraform.tfvars; then cp infra/terraform.tfvars "$notes/before/infra/"; fi
	init "$notes/before/infra"
	# The functions alone: tables only grow, and older code writes into newer ones; the rest is for the next commit.
	"$terraform" -chdir="$notes/before/infra" apply -input=false -auto-approve -target=google_cloudfunctions2_function.this \
		-target=terraform_data.commit -var "project=$PROJECT" -var "commit=$previous"
	git worktree remove --force "$notes/before"
	echo "deliver.sh: back at $previous; the commit that did not work is not deployed" >&2
	exit 1
}

case ${1:-} in
plan | apply | verify | settle) "$1" ;;
*) echo "usage: infra/deliver.sh plan|apply|verify|settle" >&2; exit 2 ;;
esac
