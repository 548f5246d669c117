# A topic and a push subscription for each function. The subscription is ours rather than an Eventarc trigger's own: it
# has a dead letter, and does not drop what is a day old.

resource "google_pubsub_topic" "this" {
  for_each = local.functions

  name = "${var.prefix}${each.key}"

  depends_on = [google_project_service.this]

  lifecycle {
    precondition {
      condition     = length("${var.prefix}${each.key}") >= 3 && !startswith("${var.prefix}${each.key}", "goog")
      error_message = "${each.value.folder}: a topic's name has at least 3 characters with the prefix and does not begin with goog: ${var.prefix}${each.key}."
    }
  }
}

resource "google_pubsub_subscription" "push" {
  for_each = local.functions

  name  = "${var.prefix}${each.key}"
  topic = google_pubsub_topic.this[each.key].id

  ack_deadline_seconds       = local.ack_deadline_seconds
  message_retention_duration = "604800s"

  # It never expires, however long nothing is published.
  expiration_policy {
    ttl = ""
  }

  push_config {
    # The path is what the framework reads the topic's name from.
    push_endpoint = "${google_cloudfunctions2_function.this[each.key].service_config[0].uri}/projects/${var.project}/topics/${var.prefix}${each.key}"

    oidc_token {
      service_account_email = google_service_account.invoker.email
      # Cloud Run knows its own address; the default would be the whole endpoint.
      audience = google_cloudfunctions2_function.this[each.key].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  # About 2.3 hours of trying. Five attempts would be 150 s, and a busy function's 429 counts as one.
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = 20
  }

  depends_on = [
    # Or the first messages are answered 403.
    google_cloud_run_v2_service_iam_member.invoker,
    google_pubsub_topic_iam_member.pubsub_agent_dead_letters,
  ]
}

resource "google_pubsub_topic" "dead_letters" {
  name = "${var.prefix}dead-letters"

  depends_on = [google_project_service.this]
}

# Nobody reads it by itself: it keeps for seven days what could not be delivered, for a person to look at and replay.
resource "google_pubsub_subscription" "dead_letters" {
  name  = "${var.prefix}dead-letters"
  topic = google_pubsub_topic.dead_letters.id

  ack_deadline_seconds       = 600
  message_retention_duration = "604800s"

  expiration_policy {
    ttl = ""
  }
}
