# How long log lines are kept. Whatever is logged stands in the project's own bucket, _Default, for 30 days. What is
# ours and worth more goes into a bucket of ours as well: the runs' and jobs' records, warnings and errors with their
# traces, what the platform says of our instances, and who read keys. Not by a longer _Default: that keeps all of
# the project's lines, is not ours alone, and `terraform destroy` could not put it back.
#
# Six endpoints write about 225 records of 1.3 kB a day, 9 MB a month: inside the free 50 GiB, and kept for 90 days
# less than a cent. No sink writes to BigQuery: the ledger's tables have every attempt already, for good.

resource "google_logging_project_bucket_config" "this" {
  project        = var.project
  location       = var.region
  bucket_id      = "${var.prefix}tcdatalogger"
  description    = "Records, warnings and errors of TCdatalogger's functions, and who read its keys."
  retention_days = var.log_retention_days

  depends_on = [google_project_service.this]
}

locals {
  kept = {
    runs = "${local.own_lines} AND (jsonPayload.run:* OR jsonPayload.job:* OR severity>=WARNING)"
    keys = "logName=\"projects/${var.project}/logs/cloudaudit.googleapis.com%2Fdata_access\" AND protoPayload.serviceName=\"secretmanager.googleapis.com\""
  }
}

resource "google_logging_project_sink" "this" {
  for_each = local.kept

  name        = "${var.prefix}tcdatalogger-${each.key}"
  description = "To the bucket that keeps them ${var.log_retention_days} days."
  # A bucket of the same project needs no grant.
  destination            = "logging.googleapis.com/projects/${var.project}/locations/${google_logging_project_bucket_config.this.location}/buckets/${google_logging_project_bucket_config.this.bucket_id}"
  filter                 = each.value
  unique_writer_identity = true
}
