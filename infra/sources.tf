# What each function is deployed from: a zip of what it needs and nothing else, by an allow-list. Its name is made from
# its contents, so the same files give the same name on any machine, and a change in one folder deploys that one alone.

locals {
  # The package, less what only the laptop has: the command, the simulator, the OpenAPI reader, the bill, DuckDB.
  shared_files = setunion([
    for pattern in ["shared/*.py", "shared/warehouse/*.py", "shared/views/*.py", "shared/views/*.sql", "shared/views/ledger/*.sql"] :
    fileset(local.root, pattern)
  ]...)
  laptop_files = setunion(
    fileset(local.root, "shared/warehouse/duckdb*.py"),
    fileset(local.root, "shared/views/translate.py"),
  )
  backup_files = fileset(local.root, "shared/backup/{__init__,bigquery,bigquery_restore,choice,fitting,job,retention}.py")

  # function → path in the zip → path in the repository.
  source_files = {
    for name, function in local.functions : name => merge(
      { for file in setsubtract(local.shared_files, local.laptop_files) : file => file },
      function.declaration == "job.yaml" ? { for file in local.backup_files : file => file } : {},
      {
        "main.py"              = "${function.folder}/main.py"
        (function.declaration) = "${function.folder}/${function.declaration}"
        "requirements.txt"     = "functions/requirements.txt"
      },
    )
  }
  # What is made rather than copied: the names of the tables, which a backup is of.
  made_files = {
    for name, function in local.functions : name => function.declaration == "job.yaml" ? { "tables.json" = jsonencode(sort(keys(local.tables))) } : {}
  }

  # function → path in the zip → text; as git has it on every machine, whatever that makes of line ends.
  source_texts = {
    for name, files in local.source_files : name => merge(
      { for path, file in files : path => replace(file("${local.root}/${file}"), "\r\n", "\n") },
      local.made_files[name],
    )
  }
  source_hashes = {
    for name, texts in local.source_texts : name => sha256(join("\n", [for path in sort(keys(texts)) : "${sha256(texts[path])} ${path}"]))
  }
}

data "archive_file" "source" {
  for_each = local.source_texts

  type             = "zip"
  output_path      = "${path.module}/.build/${each.key}.zip"
  output_file_mode = "0644"

  dynamic "source" {
    for_each = each.value

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
  for_each = local.source_files

  bucket = google_storage_bucket.sources.name
  name   = "${each.key}/${local.source_hashes[each.key]}.zip"
  source = data.archive_file.source[each.key].output_path

  lifecycle {
    # The function moves on to the new one before the old one goes.
    create_before_destroy = true
  }
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
