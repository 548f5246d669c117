# The raw responses, each written once. A function may put and get objects below its own folder, and no more.

locals {
  archive_folder = "raw"
}

resource "google_storage_bucket" "archive" {
  name                        = "${var.project}-${var.prefix}tcdatalogger-archive"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  # Whoever overwrites or deletes by hand can still take it back.
  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 604800
  }

  # Unless archive_days says otherwise, what nobody reads moves to nearline, coldline and archive by itself, which costs nothing; objects below 128 KiB stay.
  # A lifecycle rule would move those too, at 0.01 to 0.05 USD a thousand: our pages have 5 kB, whose year in the dearest
  # class costs a tenth of one move.
  dynamic "autoclass" {
    for_each = var.archive_days == null ? ["ARCHIVE"] : []

    content {
      enabled                = true
      terminal_storage_class = autoclass.value
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.archive_days == null ? {} : {
      NEARLINE = var.archive_days.nearline
      COLDLINE = var.archive_days.coldline
      ARCHIVE  = var.archive_days.archive
    }

    content {
      condition {
        age            = lifecycle_rule.value
        matches_prefix = ["${local.archive_folder}/"]
        with_state     = "LIVE"
      }
      action {
        type          = "SetStorageClass"
        storage_class = lifecycle_rule.key
      }
    }
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }

  dynamic "lifecycle_rule" {
    for_each = var.archive_delete_after_days > 0 ? [var.archive_delete_after_days] : []

    content {
      condition {
        age            = lifecycle_rule.value
        matches_prefix = ["${local.archive_folder}/"]
      }
      action {
        type = "Delete"
      }
    }
  }

  depends_on = [google_project_service.this]
}
