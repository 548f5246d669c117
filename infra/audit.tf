# Who read keys and rows: Data Access audit logs. Nobody is exempted, the functions least of all: a read that is not
# one of theirs is what to look for.
#
# The cost: Secret Manager's are a line for each reading of a key, a few hundred bytes, well inside the free 50 GiB.
# BigQuery writes its own anyhow, free of charge, and they cannot be turned off; they are declared so that a later
# setting for all services, with exemptions, does not reach them.
#
# The project has one such setting for each service: where two installations share a project, both declare the same.

locals {
  audited = {
    bigquery      = ["DATA_READ", "DATA_WRITE"]
    secretmanager = ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
  }
}

resource "google_project_iam_audit_config" "this" {
  for_each = local.audited

  project = var.project
  service = "${each.key}.googleapis.com"

  dynamic "audit_log_config" {
    for_each = toset(each.value)

    content {
      log_type = audit_log_config.value
    }
  }

  depends_on = [google_project_service.this]
}
