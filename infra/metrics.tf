# Metrics made from log lines: each attempt at a run, and at a job, ends with one line that carries its record (in
# jsonPayload.run as shared/collector.py, in jsonPayload.job as shared/backup/job.py writes it). Alerts and the dashboard
# read nothing else of ours, so the functions need no right to write metrics, and none of their time.

locals {
  # Two installations may share a project: each counts its own functions' lines alone.
  own_services = "^(${join("|", sort(values(local.function_names)))})$"
  own_lines    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"${local.own_services}\""
  run_lines    = "${local.own_lines} AND jsonPayload.run.outcome:*"
  job_lines    = "${local.own_lines} AND jsonPayload.job.outcome:*"

  # What leaves the tables up to date: rows were written now, by an earlier delivery, or newer ones were there.
  succeeded = ["ok", "repeated", "superseded"]

  # Four fifths of what a run may take: time to act before runs begin to be cut off.
  slow_seconds = floor(local.run_timeout_seconds * 0.8)

  # label → the record's field, of a run and of a job. A job's name is its `endpoint`, as in `tcdatalogger logs`.
  metric_labels = {
    account     = { run = "account", description = "The account it was read for; `global` for all." }
    endpoint    = { run = "endpoint", job = "name", description = "The endpoint, or the job." }
    error_class = { run = "error_class", job = "error_class", description = "The error's class, see shared/errors.py." }
    outcome     = { run = "outcome", job = "outcome", description = "How the attempt ended, see shared/ledger.py." }
  }

  # name → which lines it counts; `value` instead makes it a distribution of that number. A label's name and type can
  # never be changed, nor a label be taken away: a new metric is for that.
  metrics = {
    runs = {
      description = "Attempts at runs, by outcome."
      filter      = local.run_lines
      of          = "run"
      labels      = ["account", "endpoint", "error_class", "outcome"]
    }
    # A backfill's success says nothing of today's rows.
    fresh = {
      description = "Runs that left an endpoint's tables up to date."
      filter      = "${local.run_lines} AND (${join(" OR ", [for outcome in local.succeeded : "jsonPayload.run.outcome=\"${outcome}\""])}) AND NOT jsonPayload.run.window_from:*"
      of          = "run"
      labels      = ["account", "endpoint"]
    }
    # By endpoint alone: a distribution for each account would cost more than most else of ten thousand.
    records = {
      description = "Records that the API sent to runs that wrote them."
      filter      = "${local.run_lines} AND jsonPayload.run.outcome=\"ok\" AND jsonPayload.run.records:*"
      of          = "run"
      labels      = ["endpoint"]
      value       = "records"
      buckets     = [1, 10, 100, 1000, 10000, 100000]
    }
    rejected = {
      description = "Records that were set aside, for they were not as declared."
      filter      = "${local.run_lines} AND jsonPayload.run.rejected>0"
      of          = "run"
      labels      = ["account", "endpoint"]
      value       = "rejected"
      buckets     = [1, 10, 100, 1000, 10000]
    }
    drift = {
      description = "Runs to which the API sent fields that nobody declared."
      filter      = "${local.run_lines} AND jsonPayload.run.drift>0"
      of          = "run"
      labels      = ["account", "endpoint"]
    }
    duration = {
      description = "Seconds that attempts took."
      filter      = "${local.run_lines} AND jsonPayload.run.duration_seconds:*"
      of          = "run"
      labels      = ["endpoint", "outcome"]
      value       = "duration_seconds"
      unit        = "s"
      buckets     = [0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 240, local.slow_seconds, local.run_timeout_seconds]
    }
    jobs = {
      description = "Attempts at jobs, by outcome."
      filter      = local.job_lines
      of          = "job"
      labels      = ["endpoint", "error_class", "outcome"]
    }
    # What a run that was cut off while it read has is not in its seconds, which are those of finished steps.
    slow = {
      description = "Attempts that took more than ${local.slow_seconds} of ${local.run_timeout_seconds} seconds."
      filter      = "${local.own_lines} AND (jsonPayload.run.duration_seconds>${local.slow_seconds} OR jsonPayload.run.error_class=\"OutOfTime\" OR jsonPayload.job.duration_seconds>${local.slow_seconds})"
      of          = "run"
      labels      = []
    }
    # The platform's own words for an instance that ran out of memory, did not start or was killed: such an attempt
    # writes no record.
    crashes = {
      description = "Instances that the platform ended."
      filter      = "${local.own_lines} AND logName=\"projects/${var.project}/logs/run.googleapis.com%2Fvarlog%2Fsystem\" AND severity>=ERROR"
      of          = "run"
      labels      = []
    }
  }
}

resource "google_logging_metric" "this" {
  for_each = local.metrics

  name        = "${replace(var.prefix, "-", "_")}tcdatalogger_${each.key}"
  description = each.value.description
  filter      = each.value.filter

  value_extractor  = try("EXTRACT(jsonPayload.${each.value.of}.${each.value.value})", null)
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${each.value.of}.${local.metric_labels[label][each.value.of]})" }

  metric_descriptor {
    display_name = "TCdatalogger ${var.prefix}${each.key}"
    metric_kind  = "DELTA"
    value_type   = can(each.value.value) ? "DISTRIBUTION" : "INT64"
    unit         = try(each.value.unit, "1")

    dynamic "labels" {
      for_each = { for label in each.value.labels : label => local.metric_labels[label].description }

      content {
        key         = labels.key
        value_type  = "STRING"
        description = labels.value
      }
    }
  }

  dynamic "bucket_options" {
    for_each = try([each.value.buckets], [])

    content {
      explicit_buckets {
        bounds = bucket_options.value
      }
    }
  }

  depends_on = [google_project_service.this]
}
