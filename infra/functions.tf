# One small function for each endpoint and each job. Pub/Sub pushes to it over HTTP; nothing else reaches it.

locals {
  # Above RUN_TIMEOUT, so that a run ends itself and says so; below the ack deadline, so that no second delivery begins.
  run_timeout_seconds  = 480
  timeout_seconds      = 540
  ack_deadline_seconds = 600

  functions = merge(
    {
      for name, endpoint in local.endpoints : name => {
        folder          = "functions/${name}"
        description     = endpoint.description
        memory          = endpoint.memory
        timeout_seconds = local.timeout_seconds
        max_instances   = var.max_instances
        declaration     = "endpoint.yaml"
      }
    },
    {
      for name, job in local.jobs : name => {
        folder          = "jobs/${name}"
        description     = job.description
        memory          = job.memory
        timeout_seconds = job.timeout
        max_instances   = 1
        declaration     = "job.yaml"
      }
    },
  )

  # A function's name takes no underscore; the topic, the Scheduler job and the entry point are named as the folder is.
  function_names = { for name, _ in local.functions : name => "${var.prefix}${replace(name, "_", "-")}" }

  environment = {
    ACCOUNTS             = length(var.accounts) == 0 ? null : jsonencode({ for name, account in var.accounts : name => { for key, value in account : key => value if value != null } })
    ARCHIVE              = "gs://${google_storage_bucket.archive.name}/${local.archive_folder}"
    GOOGLE_CLOUD_PROJECT = var.project
    KEY_SECRET_PREFIX    = "projects/${var.project}/secrets/${var.prefix}"
    LOG_EXECUTION_ID     = "true"
    LOG_LEVEL            = var.log_level
    RUN_TIMEOUT          = tostring(local.run_timeout_seconds)
    TORN_API_URL         = var.torn_api_url
    WAREHOUSE            = "bigquery:${var.project}.${google_bigquery_dataset.this.dataset_id}"
  }
}

resource "google_cloudfunctions2_function" "this" {
  for_each = local.functions

  name        = local.function_names[each.key]
  location    = var.region
  description = each.value.description

  build_config {
    runtime           = "python313"
    entry_point       = each.key
    service_account   = google_service_account.build.id
    docker_repository = google_artifact_registry_repository.functions.id

    source {
      storage_source {
        bucket = google_storage_bucket.sources.name
        # The name holds the hash of what is in it: what is changed is deployed, and nothing else.
        object = google_storage_bucket_object.source[each.key].name
      }
    }
  }

  service_config {
    available_memory                 = each.value.memory
    timeout_seconds                  = each.value.timeout_seconds
    max_instance_count               = each.value.max_instances
    max_instance_request_concurrency = 1
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.function[each.key].email
    environment_variables            = { for name, value in local.environment : name => value if value != null }
  }

  depends_on = [
    google_project_service.this,
    # A build that may not write its image fails only after minutes.
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_sources,
  ]

  lifecycle {
    precondition {
      condition     = can(regex("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", local.function_names[each.key]))
      error_message = "${each.value.folder}: a function's name is at most 63 characters with the prefix, and _ (which becomes -) is not its last: ${local.function_names[each.key]}."
    }
  }
}

# Which commit this is: in the state alone, for in a label of the functions it would deploy all of them at each commit.
resource "terraform_data" "commit" {
  input = var.commit
}
