# What each function is deployed from: a zip of what it needs and nothing else, by an allow-list. Its name is made from
# its contents, so the same files give the same name on any machine, and a change in one folder deploys that one alone.

locals {
  # The package, less what only the laptop has: the command, the simulator, the OpenAPI reader, the bill, DuckDB. A test
  # holds that no file is missing and none too many.
  warehouse_files = setsubtract(
    setunion([
      for pattern in ["shared/warehouse/*.py", "shared/views/*.py", "shared/views/*.sql", "shared/views/ledger/*.sql"] :
      fileset(local.root, pattern)
    ]...),
    setunion(fileset(local.root, "shared/warehouse/duckdb*.py"), ["shared/views/translate.py", "shared/warehouse/staging.py", "shared/warehouse/turn.py"]),
  )
  collector_files = setsubtract(fileset(local.root, "shared/*.py"), ["shared/job.py", "shared/schema_changes.py"])
  # A job asks no API, so that it needs less of the package, and what changes elsewhere does not deploy it.
  job_files = setunion(
    fileset(local.root, "shared/backup/{__init__,bigquery,bigquery_restore,fitting,job,retention}.py"),
    fileset(local.root, join("", ["shared/{", join(",", [
      "__init__", "arrow", "column_rules", "columns", "endpoint", "endpoint_file", "endpoint_form", "endpoint_rules",
      "errors", "job", "ledger", "log_file", "logs", "message", "names", "packing", "quality", "released", "request_rules",
      "schedule", "settings", "shape_tree", "shapes", "trace", "yaml_tree",
    ]), "}.py"])),
  )

  # function → path in the zip → path in the repository.
  source_files = {
    for name, function in local.functions : name => merge(
      { for file in local.warehouse_files : file => file },
      { for file in function.declaration == "job.yaml" ? local.job_files : local.collector_files : file => file },
      {
        "main.py"              = "${function.folder}/main.py"
        (function.declaration) = "${function.folder}/${function.declaration}"
        "requirements.txt"     = "functions/requirements.txt"
      },
    )
  }
  # As git has them on every machine, whatever it makes of line ends; checks.tf says which file is not there.
  repository_texts = { for file in toset(flatten([for files in local.source_files : values(files)])) : file => replace(try(file("${local.root}/${file}"), ""), "\r\n", "\n") }

  # function → path in the zip → text. A job knows the endpoints' tables by their names alone, so that no other change of
  # an endpoint deploys it.
  source_texts = {
    for name, files in local.source_files : name => merge(
      { for path, file in files : path => local.repository_texts[file] },
      local.functions[name].declaration == "job.yaml" ? { "tables.json" = jsonencode(sort(keys(local.tables))) } : {},
    )
  }
  source_hashes = {
    for name, texts in local.source_texts : name => sha256(join("\n", [for path in sort(keys(texts)) : "${sha256(texts[path])} ${path}"]))
  }
}

data "archive_file" "source" {
  for_each = local.functions

  type             = "zip"
  output_path      = "${path.module}/.build/${each.key}.zip"
  output_file_mode = "0644"

  dynamic "source" {
    for_each = local.source_texts[each.key]

    content {
      filename = source.key
      content  = source.value
    }
  }
}

resource "google_storage_bucket" "sources" {
  name                        = "${var.project}-${var.prefix}tcdatalogger-sources"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # every zip can be made again from the repository

  # What was deployed before stays for a while.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 90
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket_object" "source" {
  for_each = local.functions

  bucket = google_storage_bucket.sources.name
  name   = "${each.key}/${local.source_hashes[each.key]}.zip"
  # Its output_path; to refer to that would have Terraform go through all the contents once more for each function.
  source = "${path.module}/.build/${each.key}.zip"

  lifecycle {
    # The function moves on to the new one before the old one goes.
    create_before_destroy = true
  }

  depends_on = [data.archive_file.source]
}

resource "google_artifact_registry_repository" "functions" {
  repository_id = "${var.prefix}tcdatalogger"
  location      = var.region
  format        = "DOCKER"
  description   = "Images that functions are built into."

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = 3
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.this]
}
