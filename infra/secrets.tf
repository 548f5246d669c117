# One secret for each key. People add versions, with gcloud; a key is never in the state or the code.

resource "google_secret_manager_secret" "key" {
  for_each = local.keys

  secret_id           = "${var.prefix}${each.key}"
  deletion_protection = var.deletion_protection
  # A version that is replaced by mistake is held back for a day before it is gone.
  version_destroy_ttl = "86400s"

  replication {
    auto {}
  }

  # Secret Manager publishes a reminder; it rotates nothing by itself.
  topics {
    name = google_pubsub_topic.key_rotation.id
  }

  rotation {
    rotation_period    = "${local.rotation_seconds}s"
    next_rotation_time = timeadd(time_static.key_added[each.key].rfc3339, "${local.rotation_seconds}s")
  }

  lifecycle {
    # Secret Manager moves it on at each reminder.
    ignore_changes = [rotation[0].next_rotation_time]
  }

  depends_on = [google_pubsub_topic_iam_member.secret_manager_agent]
}

locals {
  rotation_seconds = 180 * 24 * 60 * 60
}

# When each key was added, which its reminders count from: one that is added a year later must not be reminded of in
# the past, which Secret Manager refuses.
resource "time_static" "key_added" {
  for_each = local.keys
}

resource "google_pubsub_topic" "key_rotation" {
  name = "${var.prefix}key-rotation"

  depends_on = [google_project_service.this]
}

# Reminders wait here for a week; an alert says that there are any.
resource "google_pubsub_subscription" "key_rotation" {
  name  = "${var.prefix}key-rotation"
  topic = google_pubsub_topic.key_rotation.id

  ack_deadline_seconds       = 600
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}
