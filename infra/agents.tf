# What the platform's own service agents need. Pub/Sub's exists as soon as its API is on; Secret Manager's is made by a
# step of its own, once per project (README.md): gcloud beta services identity create --service=secretmanager.googleapis.com

locals {
  agents = {
    pubsub         = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    secret_manager = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
  }
}

# Forwarding to the dead-letter topic: publish there, acknowledge here.
resource "google_pubsub_topic_iam_member" "pubsub_agent_dead_letters" {
  topic  = google_pubsub_topic.dead_letters.id
  role   = "roles/pubsub.publisher"
  member = local.agents.pubsub
}

resource "google_pubsub_subscription_iam_member" "pubsub_agent" {
  for_each = local.functions

  subscription = google_pubsub_subscription.push[each.key].id
  role         = "roles/pubsub.subscriber"
  member       = local.agents.pubsub
}

# Pushes carry a token of the invoker, which Pub/Sub's agent makes.
resource "google_service_account_iam_member" "pubsub_agent_tokens" {
  service_account_id = google_service_account.invoker.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.agents.pubsub
}

resource "google_pubsub_topic_iam_member" "secret_manager_agent" {
  topic  = google_pubsub_topic.key_rotation.id
  role   = "roles/pubsub.publisher"
  member = local.agents.secret_manager
}
