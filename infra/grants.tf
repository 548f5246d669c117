# What each account may do, and no more: its own secret, its own folder of the archive, its own dataset and topic.

# Nothing but the push's own account reaches a function.
resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = local.functions

  location = var.region
  # Known before the function is made, so that a plan shows it.
  name   = google_cloudfunctions2_function.this[each.key].name
  role   = "roles/run.invoker"
  member = google_service_account.invoker.member
}

# Keys: an endpoint's function reads those that it asks the API with.
locals {
  secret_grants = merge([
    for name, names in local.endpoint_keys : { for key in names : "${name}/${key}" => { function = name, key = key } }
  ]...)
}

resource "google_secret_manager_secret_iam_member" "function" {
  for_each = local.secret_grants

  secret_id = google_secret_manager_secret.key[each.value.key].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}

# Archive: no predefined role is create and get alone.
resource "google_project_iam_custom_role" "archive_writer" {
  role_id     = "${replace(var.prefix, "-", "_")}tcdatalogger_archive_writer"
  title       = "TCdatalogger archive writer"
  description = "Puts and gets objects; never lists, overwrites or deletes."
  permissions = ["storage.objects.create", "storage.objects.get"]

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket_iam_member" "archive" {
  for_each = local.endpoints

  bucket = google_storage_bucket.archive.name
  role   = google_project_iam_custom_role.archive_writer.id
  member = google_service_account.function[each.key].member

  condition {
    title       = "${each.key} only"
    description = "Below the endpoint's own folder."
    expression  = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.archive.name}/objects/${local.archive_folder}/${each.key}/\")"
  }
}

# Warehouse: rows and staging tables in the dataset; jobs in the project, which is where BigQuery has them.
resource "google_bigquery_dataset_iam_member" "function" {
  for_each = local.endpoints

  dataset_id = google_bigquery_dataset.this.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.function[each.key].member
}

# A replace keeps what it takes away as a snapshot that ends by itself after a week. To make one takes the right to delete
# one, which of the predefined roles only owners of the data have.
resource "google_project_iam_custom_role" "snapshot_keeper" {
  role_id     = "${replace(var.prefix, "-", "_")}tcdatalogger_snapshot_keeper"
  title       = "TCdatalogger snapshot keeper"
  description = "With BigQuery Data Editor: makes snapshots that end by themselves."
  permissions = ["bigquery.tables.deleteSnapshot"]

  depends_on = [google_project_service.this]
}

resource "google_bigquery_dataset_iam_member" "snapshots" {
  for_each = { for name, endpoint in local.endpoints : name => endpoint if anytrue([for table in values(endpoint.tables) : table.mode == "replace"]) }

  dataset_id = google_bigquery_dataset.this.dataset_id
  role       = google_project_iam_custom_role.snapshot_keeper.id
  member     = google_service_account.function[each.key].member
}

resource "google_project_iam_member" "jobs" {
  for_each = local.endpoints

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.function[each.key].member
}

# A message for all accounts becomes one for each, published to the topic that it came from.
resource "google_pubsub_topic_iam_member" "fan_out" {
  for_each = { for name, endpoint in local.endpoints : name => endpoint if endpoint.scope == "account" && length(var.accounts) > 1 }

  topic  = google_pubsub_topic.this[each.key].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.key].member
}

# Jobs: what job.yaml asks for, on the dataset and on the project.
resource "google_project_iam_custom_role" "job" {
  for_each = { for name, job in local.jobs : name => job if length(job.permissions) > 0 }

  role_id     = "${replace(var.prefix, "-", "_")}tcdatalogger_${each.key}"
  title       = "TCdatalogger ${each.key}"
  description = each.value.description
  permissions = each.value.permissions

  depends_on = [google_project_service.this]
}

resource "google_bigquery_dataset_iam_member" "job" {
  for_each = google_project_iam_custom_role.job

  dataset_id = google_bigquery_dataset.this.dataset_id
  role       = google_project_iam_custom_role.job[each.key].id
  member     = google_service_account.function[each.key].member
}

resource "google_project_iam_custom_role" "job_project" {
  for_each = { for name, job in local.jobs : name => job if length(job.project_permissions) > 0 }

  role_id     = "${replace(var.prefix, "-", "_")}tcdatalogger_${each.key}_project"
  title       = "TCdatalogger ${each.key}, project"
  description = "What ${each.key} may do that is not the dataset's."
  permissions = each.value.project_permissions

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "job" {
  for_each = google_project_iam_custom_role.job_project

  project = var.project
  role    = google_project_iam_custom_role.job_project[each.key].id
  member  = google_service_account.function[each.key].member
}

# Builds: read sources, write images and their own log. What is built is not our object but Google's copy of it, in a
# bucket that is made with a region's first function: so the grant is the project's, for that bucket alone.
resource "google_project_iam_member" "build_sources" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title       = "copies of sources only"
    description = "The bucket where Cloud Functions keeps what it builds."
    expression  = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}\")"
  }
}

resource "google_artifact_registry_repository_iam_member" "build" {
  location   = var.region
  repository = google_artifact_registry_repository.functions.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}
