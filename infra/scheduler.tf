# One Scheduler job for each endpoint and job. The body is `{}`, because a message without one is answered 400; the
# attribute says that the run is named after its slot.

locals {
  paused = { for name, _ in local.functions : name => contains(var.paused, "*") || contains(var.paused, name) }
}

resource "google_cloud_scheduler_job" "this" {
  for_each = local.functions

  name        = "${var.prefix}${each.key}"
  region      = var.region
  description = each.value.description
  schedule    = local.schedules[each.key]
  # "UTC" would show a difference at every plan; a local zone skips or repeats slots when clocks change.
  time_zone = "Etc/UTC"
  paused    = local.paused[each.key]

  pubsub_target {
    topic_name = google_pubsub_topic.this[each.key].id
    data       = base64encode("{}")
    attributes = { origin = "schedule" }
  }

  # A publish that fails is tried again within the slot.
  retry_config {
    retry_count          = 3
    min_backoff_duration = "5s"
    max_backoff_duration = "60s"
  }

  depends_on = [google_project_service.this, google_pubsub_subscription.push]
}
