# The APIs that all of this uses. They stay on at destroy: something else in the project may use them too.

locals {
  services = toset(concat([
    "artifactregistry", "bigquery", "bigquerystorage", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler",
    "iam", "logging", "monitoring", "pubsub", "run", "secretmanager", "storage",
  ], var.billing_account == null ? [] : ["billingbudgets"]))
}

resource "google_project_service" "this" {
  for_each = local.services

  project            = var.project
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

data "google_project" "this" {
  project_id = var.project

  depends_on = [google_project_service.this]
}
