output "alerts" {
  description = "What is told to alert_emails and alert_webhooks, by kind."
  value       = { for kind, policy in local.policies : kind => policy.title }
}

output "archive" {
  description = "Where the raw responses are."
  value       = local.environment.ARCHIVE
}

output "calls_per_minute" {
  description = "Each key's calls a minute at the most, and how they add up; the API allows a user 100."
  value       = local.key_sums
}

output "commit" {
  description = "The commit that is deployed."
  value       = terraform_data.commit.output
}

output "dashboard" {
  description = "The page that shows how it goes."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(google_monitoring_dashboard.this.id)}?project=${var.project}"
}

output "dead_letters" {
  description = "The subscription that keeps what could not be delivered."
  value       = google_pubsub_subscription.dead_letters.id
}

output "functions" {
  description = "Each function's name in Cloud Run, by endpoint or job."
  value       = local.function_names
}

output "schedules" {
  description = "When each endpoint and job runs, in UTC."
  value       = local.schedules
}

output "secrets" {
  description = "The secrets that wait for a version: what to type for each key."
  value       = { for key in local.keys : key => "gcloud secrets versions add ${google_secret_manager_secret.key[key].secret_id} --project=${var.project} --data-file=-" }
}

output "topics" {
  description = "The topic of each endpoint and job: gcloud pubsub topics publish TOPIC --message='{}'."
  value       = { for name, topic in google_pubsub_topic.this : name => topic.id }
}

output "warehouse" {
  description = "Where the rows are: the command's WAREHOUSE."
  value       = local.environment.WAREHOUSE
}
